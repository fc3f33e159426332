import { randomUUID } from "node:crypto";
import { createApp } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { FlowProducer, Queue, UnrecoverableError, Worker, type JobType } from "bullmq";
import { Redis } from "ioredis";
import { pino } from "pino";
import { redisUrl } from "../lib/redis-url.js";
import { takeSnapshot, type Snapshot } from "./snapshot.js";

/** What producers do, and what holds when the workers have done all there is to do. */
export interface Case {
  readonly what: string;
  /** What producers do before the worker starts. */
  readonly produce: (producers: Producers) => Promise<unknown>;
  /** The functions to run while the job `held` runs. */
  readonly meanwhile?: (producers: Producers) => Promise<unknown>;
  /**
   * How many jobs are in each state of the queue `q` in the end. Default: none in any where it
   * waits or runs.
   */
  readonly end?: Readonly<Partial<Record<JobType, number>>>;
}

/** Stock producers on two queues. */
export interface Producers {
  readonly queue: Queue;
  readonly other: Queue;
  readonly flow: FlowProducer;
}

interface Running {
  close(): Promise<unknown>;
}

/** What runs when a job is taken: `attempt` counts from 1. */
type Body = (data: unknown, attempt: number, gate: Promise<void>) => unknown;

const bodies: Readonly<Record<string, Body>> = {
  ok: (data) => ({ got: data }),
  nothing: () => undefined,
  bad: (_, attempt) => fail(new RangeError(`boom ${attempt} "a/b"`)),
  flaky: (data, attempt) => (attempt === 1 ? fail(new Error("not yet")) : { got: data, attempt }),
  fatal: () => fail(new UnrecoverableError("never")),
  held: async (data, _, gate) => {
    await gate;
    return data;
  },
};

/** Throws an error whose stack has no location. */
function fail(error: Error): never {
  error.stack = `${error.name}: ${error.message}\n    at task`;
  throw error;
}

/** Kept by either worker of what does not say itself. */
const keep = { removeOnComplete: { count: 1000 }, removeOnFail: { count: 10_000 } };

type StartWorker = (prefix: string, gate: Promise<void>) => Promise<Running>;

const names = ["q", "other"];

export const startStock: StartWorker = async (prefix, gate) => {
  const workers = names.map(
    (name) =>
      new Worker(name, async (job) => bodies[job.name]?.(job.data, job.attemptsMade + 1, gate), {
        ...keep,
        name: "worker",
        prefix,
        connection: { url: redisUrl() },
        drainDelay: 0.05,
      }),
  );
  // It says on stderr what some cases make happen.
  for (const worker of workers) worker.on("error", () => undefined);
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  return { close: () => Promise.all(workers.map((worker) => worker.close())) };
};

export const startOurs: StartWorker = async (prefix, gate) => {
  const workers = names.map((name) => {
    const app = createApp({ broker: redisUrl(), prefix, queues: [name], defaultQueue: name });
    for (const [task, body] of Object.entries(bodies)) {
      app.task(task, function (data: unknown) {
        return body(data, this.attempt, gate);
      });
    }
    return createWorker(app, { name: "worker", concurrency: 1, log: pino({ level: "silent" }) });
  });
  await Promise.all(workers.map((worker) => worker.start()));
  return { close: () => Promise.all(workers.map((worker) => worker.stop())) };
};

/** What Redis holds when the worker that `start` starts has done with `one`. */
export async function play(one: Case, start: StartWorker): Promise<Snapshot> {
  const prefix = randomUUID();
  const options = { prefix, connection: { url: redisUrl() } };
  const redis = new Redis(redisUrl(), { replyMapping: "legacy" });
  const queue = new Queue("q", options);
  const other = new Queue("other", options);
  const flow = new FlowProducer(options);
  const producers = { queue, other, flow };
  let open = () => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  let worker: Running | undefined;
  try {
    await one.produce(producers);
    worker = await start(prefix, gate);
    if (one.meanwhile !== undefined) {
      await reached(queue, { active: 1 });
      await one.meanwhile(producers);
    }
    open();
    const idle = { waiting: 0, prioritized: 0, active: 0 };
    await Promise.all([
      reached(queue, { ...idle, delayed: 0, "waiting-children": 0, ...one.end }),
      reached(other, { ...idle, delayed: 0, "waiting-children": 0 }),
    ]);
    await worker.close();
    worker = undefined;
    return await takeSnapshot(redis, prefix);
  } finally {
    open();
    await Promise.all([worker?.close(), queue.close(), other.close(), flow.close()]);
    const keys = await redis.keys(`*${prefix}*`);
    if (keys.length > 0) await redis.unlink(keys);
    redis.disconnect();
  }
}

/**
 * Waits until `queue` counts so many jobs in each state, and the same when it is asked again: a job
 * may have been between two.
 */
async function reached(queue: Queue, counts: Readonly<Partial<Record<JobType, number>>>): Promise<void> {
  const states = Object.keys(counts) as JobType[];
  const end = Date.now() + 8000;
  for (let times = 0; times < 2;) {
    const found = await queue.getJobCounts(...states);
    times = states.every((state) => found[state] === counts[state]) ? times + 1 : 0;
    if (Date.now() > end) throw new Error(`after 8 s: ${JSON.stringify(found)}, not ${JSON.stringify(counts)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

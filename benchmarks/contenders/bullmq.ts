import { randomUUID } from "node:crypto";
import type { ConnectionOptions, Job, Queue, QueueEvents } from "bullmq";
import type { Logger } from "pino";
import { sendInLots } from "../measuring/load.js";
import type { Setting } from "../measuring/setting.js";
import { bodies } from "./body.js";
import { bullQueues, queueNames } from "./bull-queues.js";
import type { Contender, FanIn, Producer, Stop, Work } from "./contender.js";
import { logFile, openLog, type LogTarget } from "./log.js";
import { versionOf } from "./version.js";

export interface BullmqOptions {
  readonly id: string;
  readonly name: string;
  /** How many queues, with a Worker and an even part of the slots for each. Default: 1. */
  readonly queues?: number;
  /**
   * File for log lines. BullMQ's Worker writes none, so its processor writes the lines that our
   * worker does. Default: none.
   */
  readonly log?: LogTarget;
}

type Data = readonly [number];
type Result = number | string;
type Run = (job: Job<Data, Result>) => Promise<Result>;

/**
 * BullMQ with its defaults, configured to do what Bullrush does: ids chosen by the producer,
 * results kept as return values, 1,000 completed jobs kept. The last is an option of the worker, so
 * that no message carries it.
 */
export function bullmq({ id, name, queues: count = 1, log: target = "nowhere" }: BullmqOptions): Contender {
  const names = queueNames(count);

  async function produce({ url }: Setting): Promise<Producer> {
    const { Job, Queue, QueueEvents } = await import("bullmq");
    const connection = connectionTo(url);
    // Each awaited result adds a listener, of which Node would warn.
    const queues = names.map((queue) => new Queue<Data, Result>(queue, { connection }).setMaxListeners(0));
    const [first] = queues as [Queue<Data, Result>];
    const queueOf = (number: number) => queues[number % count] ?? first;
    let events: QueueEvents | undefined;
    const send = (number: number) => queueOf(number).add("bench", [number], { jobId: randomUUID() });
    return {
      send: (from, to, width) => sendInLots(from, to, width, (numbers) => Promise.all(numbers.map(send))),
      sendBulk: (from, to, width) =>
        sendInLots(from, to, width, async (numbers) => {
          const jobs = numbers.map((number) => ({ number, id: randomUUID() }));
          await Promise.all(
            queues.map((queue) =>
              queue.addBulk(
                jobs
                  .filter(({ number }) => queueOf(number) === queue)
                  .map(({ number, id }) => ({ name: "bench", data: [number], opts: { jobId: id } })),
              ),
            ),
          );
          return jobs;
        }),
      ask: async (number) => {
        // From the first event on: by default it would miss those before its first read.
        events ??= new QueueEvents(first.name, { connection, lastEventId: "0-0" }).setMaxListeners(0);
        await events.waitUntilReady();
        return (await send(number)).waitUntilFinished(events);
      },
      results: (sent) =>
        Promise.all(
          sent.map(async (one) => {
            const job = await Job.fromId<Data, Result>(queueOf(one.number), one.id);
            if (job === undefined || !(await job.isCompleted())) throw new Error(`task ${one.number} is not done`);
            return job.returnvalue;
          }),
        ),
      close: async () => {
        await events?.close();
        await Promise.all(queues.map((queue) => queue.close()));
      },
    };
  }

  async function consume(setting: Setting, { concurrency, onRun }: Work): Promise<Stop> {
    const { Worker } = await import("bullmq");
    const connection = connectionTo(setting.url);
    const body = bodies[setting.body];
    const run: Run = async ({ data: [sent] }) => {
      onRun?.();
      return body(sent);
    };
    const process = target === "nowhere" ? run : logged(run, await openLog(target, setting));
    const slots = Math.max(1, Math.floor(concurrency / count));
    const workers = names.map((queue) => new Worker(queue, process, { connection, concurrency: slots, removeOnComplete: { count: 1000 } }));
    for (const worker of workers) {
      worker.on("error", (error) => {
        throw error;
      });
    }
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    return () => Promise.all(workers.map((worker) => worker.close()));
  }

  async function fanIn({ url, body: name }: Setting): Promise<FanIn> {
    const { FlowProducer, Worker } = await import("bullmq");
    const connection = connectionTo(url);
    const producer = new FlowProducer({ connection });
    const body = bodies[name];
    const run: Run = async ({ data: [sent] }) => body(sent);
    const member = new Worker("members", run, { connection, concurrency: 100, removeOnComplete: { count: 1000 }, autorun: false });
    let end: (results: readonly unknown[]) => void = () => {};
    const ended = new Promise<readonly unknown[]>((resolve) => (end = resolve));
    // Children have no order.
    const collect = async (job: Job) => end(Object.values(await job.getChildrenValues()));
    const parent = new Worker("bodies", collect, { connection, autorun: false });
    await Promise.all([producer.waitUntilReady(), member.waitUntilReady(), parent.waitUntilReady()]);
    return {
      send: async (members) => {
        const children = Array.from({ length: members }, (_, number) => ({ name: "bench", queueName: "members", data: [number] }));
        await producer.add({ name: "body", queueName: "bodies", data: {}, children });
      },
      work: () => {
        for (const worker of [member, parent]) void worker.run();
        return ended;
      },
      close: async () => void (await Promise.all([producer.close(), member.close(), parent.close()])),
    };
  }

  return {
    id,
    name,
    version: () => versionOf("bullmq"),
    ...(target === "file" && { logFile }),
    load: () => Promise.all([import("bullmq"), import("pino")]),
    produce,
    consume,
    queue: bullQueues(names),
    fanIn,
  };
}

/** `run`, with the two lines that our worker writes for a task. */
function logged(run: Run, log: Logger): Run {
  return async (job) => {
    const task = { task: job.name, id: job.id };
    const startedAt = Date.now();
    log.info({ ...task, queue: job.queueName, attempt: job.attemptsMade + 1 }, "received");
    const result = await run(job);
    log.info({ ...task, ms: Date.now() - startedAt }, "succeeded");
    return result;
  };
}

function connectionTo(url: string): ConnectionOptions {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
}

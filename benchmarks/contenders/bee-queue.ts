import { randomUUID } from "node:crypto";
import type BeeQueue from "bee-queue";
import { sendInLots } from "../measuring/load.js";
import type { Setting } from "../measuring/setting.js";
import { bodies } from "./body.js";
import type { Contender, Producer, QueueView } from "./contender.js";
import { versionOf } from "./version.js";

const name = "bench";
const key = `bq:${name}`;

type Data = readonly [number];

/**
 * bee-queue with its defaults. It sends results to listeners and stores none; it keeps all finished
 * jobs or none: by default, and here, all.
 */
export function beeQueue(): Contender {
  return {
    id: "bee-queue",
    name: "bee-queue",
    version: () => versionOf("bee-queue"),
    storesResults: false,
    load,
    produce,
    consume,
    queue: view,
  };
}

async function produce({ url }: Setting): Promise<Producer> {
  const BeeQueue = await load();
  const open = (getEvents: boolean) => new BeeQueue<Data>(name, { redis: connectionTo(url), isWorker: false, getEvents });
  const queue = open(false);
  let listening: BeeQueue<Data> | undefined;
  // A job is notified of its end only after the reply to its `save()`, so waits are kept here.
  const waiting = new Map<string, (result: unknown) => void>();
  const listen = () =>
    open(true).on("job succeeded", (id, result: unknown) => {
      waiting.get(id)?.(result);
      waiting.delete(id);
    });
  const jobOf = (number: number) => queue.createJob<Data>([number]).setId(randomUUID());
  return {
    send: (first, last, width) => sendInLots(first, last, width, (numbers) => Promise.all(numbers.map((number) => jobOf(number).save()))),
    sendBulk: (first, last, width) =>
      sendInLots(first, last, width, async (numbers) => {
        const jobs = numbers.map(jobOf);
        const errors = await queue.saveAll(jobs);
        for (const error of errors.values()) throw error;
        return jobs;
      }),
    ask: async (number) => {
      listening ??= listen();
      await listening.ready();
      const id = randomUUID();
      const result = new Promise<unknown>((resolve) => waiting.set(id, resolve));
      await listening.createJob<Data>([number]).setId(id).save();
      return result;
    },
    results: (sent) =>
      Promise.all(
        sent.map(async (one) => {
          const { status } = await queue.getJob(one.id);
          if (status !== "succeeded") throw new Error(`task ${one.number} is not done: ${status}`);
          return undefined;
        }),
      ),
    close: async () => {
      await Promise.all([queue.close(), listening?.close()]);
    },
  };
}

const consume: Contender["consume"] = async (setting, { concurrency, onRun }) => {
  const BeeQueue = await load();
  const queue = new BeeQueue<Data>(name, { redis: connectionTo(setting.url), getEvents: false });
  const body = bodies[setting.body];
  queue.on("error", (error) => {
    throw error;
  });
  await queue.ready();
  queue.process(concurrency, async ({ data: [sent] }) => {
    onRun?.();
    return body(sent);
  });
  return () => queue.close();
};

async function load(): Promise<typeof BeeQueue> {
  return (await import("bee-queue")).default;
}

const view: QueueView = {
  waiting: (redis) => redis.llen(`${key}:waiting`),
  unfinished: async (redis) => (await redis.llen(`${key}:waiting`)) + (await redis.llen(`${key}:active`)),
  failed: (redis) => redis.scard(`${key}:failed`),
};

function connectionTo(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

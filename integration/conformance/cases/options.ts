import type { JobsOptions } from "bullmq";
import type { Case } from "../side.js";

/** One job with these options; a second one without, to see what it does to others. */
function job(what: string, name: string, opts: JobsOptions): Case {
  return {
    what,
    produce: async ({ queue }) => {
      await queue.add(name, { n: 1 }, opts);
      await queue.add("ok", "another");
    },
  };
}

/** Four jobs with these options, of which two fail. */
function kept(what: string, opts: JobsOptions): Case {
  return {
    what,
    produce: async ({ queue }) => {
      for (const [index, name] of ["ok", "bad", "ok", "bad"].entries()) {
        const added = await queue.add(name, index, opts);
        await added.log(`line of ${index}`);
      }
    },
  };
}

const hour = 3_600_000;

export const options: readonly Case[] = [
  job("none", "ok", {}),
  job("nothing returned", "nothing", {}),
  job("jobId", "ok", { jobId: "mine" }),
  job("delay", "ok", { delay: 120 }),
  job("priority", "ok", { priority: 5 }),
  job("lifo", "ok", { lifo: true }),
  job("timestamp", "ok", { timestamp: Date.now() - hour }),
  job("sizeLimit", "ok", { sizeLimit: 1000 }),
  job("telemetry", "ok", { telemetry: { metadata: "trace", omitContext: true } }),
  {
    what: "data of all kinds",
    produce: ({ queue }) => queue.addBulk([null, 0, "€😀", [], {}, { a: [{ b: null }] }].map((data) => ({ name: "ok", data }))),
  },
  { what: "no data", produce: ({ queue }) => queue.add("ok", undefined) },
  {
    what: "priorities",
    produce: ({ queue }) => queue.addBulk([3, 0, 1, 2, 1].map((priority) => ({ name: "ok", data: priority, opts: { priority } }))),
  },
];

export const attempts: readonly Case[] = [
  job("none left", "bad", {}),
  job("attempts", "bad", { attempts: 3 }),
  job("attempts, of which the second succeeds", "flaky", { attempts: 3 }),
  job("attempts of what is unrecoverable", "fatal", { attempts: 3 }),
  job("attempts, lifo", "bad", { attempts: 2, lifo: true }),
  job("attempts, with a priority", "bad", { attempts: 2, priority: 2 }),
  job("attempts, and nothing kept", "bad", { attempts: 2, removeOnFail: true }),
  job("backoff, a number", "bad", { attempts: 3, backoff: 40 }),
  job("backoff, fixed", "flaky", { attempts: 3, backoff: { type: "fixed", delay: 40 } }),
  job("backoff, fixed, none", "bad", { attempts: 3, backoff: { type: "fixed" } }),
  job("backoff, exponential", "bad", { attempts: 4, backoff: { type: "exponential", delay: 25 } }),
  job("backoff, never", "bad", { attempts: 3, backoff: { type: "fixed", delay: -1 } }),
  job("backoff, with a priority", "bad", { attempts: 2, priority: 2, backoff: 40 }),
  job("stackTraceLimit", "bad", { attempts: 4, stackTraceLimit: 2 }),
  job("stackTraceLimit, none", "bad", { attempts: 2, stackTraceLimit: 0 }),
];

export const keeping: readonly Case[] = [
  kept("all", { removeOnComplete: false, removeOnFail: false }),
  kept("nothing", { removeOnComplete: true, removeOnFail: true }),
  kept("a number", { removeOnComplete: 1, removeOnFail: 1 }),
  kept("a count", { removeOnComplete: { count: 1 }, removeOnFail: { count: 1 } }),
  kept("an age", { removeOnComplete: { age: hour }, removeOnFail: { age: hour } }),
  kept("an age and a count", { removeOnComplete: { age: hour, count: 1 }, removeOnFail: { age: hour, count: 1 } }),
  kept("no age at all", { removeOnComplete: { age: 0 }, removeOnFail: { age: 0 } }),
  kept("an age and a limit", { removeOnComplete: { age: 0, limit: 1 }, removeOnFail: { age: 0, limit: 1 } }),
  kept("logs", { keepLogs: 1 }),
];

export const deduplication: readonly Case[] = [
  {
    what: "simple",
    produce: ({ queue }) => queue.addBulk([1, 2, 3].map((data) => ({ name: "ok", data, opts: { deduplication: { id: "one" } } }))),
  },
  {
    what: "simple, of what fails and is tried again",
    produce: async ({ queue }) => {
      await queue.add("bad", 1, { deduplication: { id: "one" }, attempts: 2 });
      await queue.add("bad", 2, { deduplication: { id: "one" }, attempts: 2 });
    },
  },
  {
    what: "throttle",
    produce: ({ queue }) => queue.addBulk([1, 2].map((data) => ({ name: "ok", data, opts: { deduplication: { id: "one", ttl: hour } } }))),
  },
  {
    what: "debounce",
    produce: async ({ queue }) => {
      for (const data of [1, 2, 3]) {
        await queue.add("ok", data, { delay: 300, deduplication: { id: "one", ttl: hour, extend: true, replace: true } });
      }
    },
  },
  {
    what: "keepLastIfActive",
    produce: ({ queue }) => queue.add("held", 1, { deduplication: { id: "one", keepLastIfActive: true } }),
    meanwhile: async ({ queue }) => {
      for (const data of [2, 3]) await queue.add("ok", data, { deduplication: { id: "one", keepLastIfActive: true } });
    },
  },
  {
    what: "simple, while the first runs",
    produce: ({ queue }) => queue.add("held", 1, { deduplication: { id: "one" } }),
    meanwhile: ({ queue }) => queue.add("ok", 2, { deduplication: { id: "one" } }),
  },
];

export const limits: readonly Case[] = [
  {
    what: "of how many run at once",
    produce: async ({ queue }) => {
      await queue.setGlobalConcurrency(1);
      await queue.addBulk([1, 2, 3].map((data) => ({ name: "ok", data })));
    },
  },
  {
    what: "of how many start in a while",
    produce: async ({ queue }) => {
      await queue.setGlobalRateLimit(2, 100);
      await queue.addBulk([1, 2, 3].map((data) => ({ name: "ok", data })));
    },
  },
];

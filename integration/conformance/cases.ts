import type { FlowJob, JobsOptions } from "bullmq";
import type { Case } from "./side.js";

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

const child = (name: string, opts: JobsOptions = {}, more: Partial<FlowJob> = {}): FlowJob => ({
  name,
  queueName: "q",
  data: name,
  ...more,
  opts: { jobId: `child-${name}`, ...opts },
});

/** A parent with these children. */
function flow(what: string, children: FlowJob[], opts: JobsOptions = {}, end?: Case["end"]): Case {
  return {
    what,
    produce: ({ flow: producer }) =>
      producer.add({ name: "ok", queueName: "q", data: "parent", opts: { jobId: "parent", ...opts }, children }),
    ...(end && { end }),
  };
}

const hour = 3_600_000;

const options: readonly Case[] = [
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

const attempts: readonly Case[] = [
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

const keeping: readonly Case[] = [
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

const deduplication: readonly Case[] = [
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
        await queue.add("ok", data, { delay: 300, deduplication: { id: "one", ttl: 300, extend: true, replace: true } });
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

const flows: readonly Case[] = [
  flow("children", [child("ok"), child("nothing")]),
  flow("children of children", [child("ok", {}, { children: [child("nothing"), child("flaky", { attempts: 2 })] })]),
  flow("children in another queue", [child("ok", {}, { queueName: "other" })]),
  flow("children that are not kept", [child("ok", { removeOnComplete: true }), child("nothing", { removeOnComplete: true })]),
  flow("children that are tried again", [child("flaky", { attempts: 2, backoff: 30 })]),
  flow("a parent with a priority", [child("ok")], { priority: 3 }),
  flow("a parent with a delay", [child("ok")], { delay: 80 }),
  flow("a child that fails", [child("bad"), child("ok")], {}, { "waiting-children": 1 }),
  flow("failParentOnFailure", [child("bad", { failParentOnFailure: true }), child("ok")]),
  flow("failParentOnFailure, and a parent with attempts", [child("bad", { failParentOnFailure: true })], { attempts: 3, backoff: 20 }),
  flow("failParentOnFailure, and nothing kept", [child("bad", { failParentOnFailure: true, removeOnFail: true })], { removeOnFail: true }),
  flow("failParentOnFailure, up to the top", [
    child("ok", { failParentOnFailure: true }, { children: [child("bad", { failParentOnFailure: true }, { queueName: "other" })] }),
  ]),
  flow("ignoreDependencyOnFailure", [child("bad", { ignoreDependencyOnFailure: true }), child("ok")]),
  flow("removeDependencyOnFailure", [child("bad", { removeDependencyOnFailure: true }), child("ok")]),
  flow(
    "continueParentOnFailure",
    [child("bad", { continueParentOnFailure: true, attempts: 2 }), child("ok", { delay: hour })],
    {},
    { delayed: 1 },
  ),
  {
    what: "a child that is added while its parent runs",
    produce: ({ queue }) => queue.add("held", "parent", { jobId: "parent", attempts: 1 }),
    meanwhile: ({ queue }) => queue.add("ok", "child", { delay: hour, parent: { id: "parent", queue: queue.qualifiedName } }),
    end: { delayed: 1 },
  },
  {
    what: "a child that fails while its parent runs",
    produce: ({ queue }) => queue.add("held", "parent", { jobId: "parent", attempts: 2 }),
    meanwhile: async ({ queue, other }) => {
      const added = await other.add("bad", "child", { failParentOnFailure: true, parent: { id: "parent", queue: queue.qualifiedName } });
      while (!(await added.isFailed()));
    },
  },
];

const schedulers: readonly Case[] = [
  {
    what: "every so often, three times",
    produce: ({ queue }) => queue.upsertJobScheduler("s", { every: 60, limit: 3 }, { name: "ok", data: { of: "template" } }),
  },
  {
    what: "every so often, for ever",
    produce: ({ queue }) =>
      queue.upsertJobScheduler("s", { every: hour }, { name: "ok", opts: { priority: 3, removeOnComplete: 5, backoff: 20 } }),
    end: { delayed: 1 },
  },
  {
    what: "every so often, with an offset",
    produce: async ({ queue }) => {
      await queue.upsertJobScheduler("s", { every: hour, offset: 1 }, { name: "ok" });
      await queue.promoteJobs();
    },
    end: { delayed: 1 },
  },
  {
    what: "a job that fails and is tried again",
    produce: ({ queue }) => queue.upsertJobScheduler("s", { every: hour }, { name: "bad", opts: { attempts: 2, backoff: 20 } }),
    end: { delayed: 1 },
  },
  {
    what: "a pattern",
    produce: ({ queue }) => queue.upsertJobScheduler("s", { pattern: "0 0 3 1 1 *", tz: "Asia/Tokyo", immediately: true }, { name: "ok" }),
    end: { delayed: 1 },
  },
  {
    what: "a pattern, twice",
    produce: ({ queue }) => queue.upsertJobScheduler("s", { pattern: "* * * * * *", limit: 2 }, { name: "ok" }),
  },
  {
    what: "a pattern without a name in the template",
    produce: ({ queue }) => queue.upsertJobScheduler("ok", { pattern: "0 0 3 1 1 *", immediately: true }),
    end: { delayed: 1 },
  },
  {
    what: "an end",
    produce: ({ queue }) => queue.upsertJobScheduler("s", { every: 70, endDate: Date.now() + hour, limit: 2 }, { name: "ok" }),
  },
  {
    what: "an end before the next time",
    produce: ({ queue }) =>
      queue.upsertJobScheduler("s", { pattern: "0 0 3 1 1 *", endDate: Date.now() + hour, immediately: true }, { name: "ok" }),
  },
  {
    what: "a start",
    produce: ({ queue }) => queue.upsertJobScheduler("s", { every: hour, startDate: Date.now() + 100 }, { name: "ok" }),
    end: { delayed: 1, completed: 1 },
  },
  {
    what: "an id with colons",
    produce: ({ queue }) => queue.upsertJobScheduler("a:b:c:d:1", { every: hour }, { name: "ok" }),
    end: { delayed: 1 },
  },
  {
    what: "removed while its job runs",
    produce: ({ queue }) => queue.upsertJobScheduler("s", { every: hour }, { name: "held" }),
    meanwhile: ({ queue }) => queue.removeJobScheduler("s"),
  },
];

const limits: readonly Case[] = [
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

export const cases = { options, attempts, keeping, deduplication, flows, schedulers, limits } satisfies Record<string, readonly Case[]>;

import type { Case } from "../side.js";

const hour = 3_600_000;

export const schedulers: readonly Case[] = [
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
    produce: ({ queue }) => queue.upsertJobScheduler("s", { every: hour, startDate: Date.now() + 300 }, { name: "ok" }),
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
    meanwhile: async ({ queue }) => {
      // A worker adds the next job after it has taken one.
      while ((await queue.getDelayedCount()) === 0);
      await queue.removeJobScheduler("s");
    },
  },
];

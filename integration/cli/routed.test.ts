import { randomUUID } from "node:crypto";
import { createApp } from "@bullrush/client";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { startWorker } from "../lib/task-worker.js";
import { makeProject } from "../lib/project.js";
import { redisUrl } from "../lib/redis-url.js";

const tasks = `
  import { createApp } from "@bullrush/client";
  export const app = createApp({ prefix: process.env.PREFIX, routes: { "tasks.taskA": "for_task_A", "tasks.taskB": "for_task_B" } });
  export const taskA = app.task("tasks.taskA", (x, y) => x + y);
  export const taskB = app.task("tasks.taskB", () => "B");
  export const hold = app.task("tasks.hold", { queue: "for_hold" }, function () {
    return new Promise((resolve) => this.signal.addEventListener("abort", () => resolve("over")));
  });
`;

it("an app of routes alone: its tasks are found and called off by their ids, and its worker takes from all its queues", async () => {
  using project = makeProject({ "tasks.mjs": tasks });
  const env = { PREFIX: `routed-${randomUUID()}` };
  const options = { broker: redisUrl(), prefix: env.PREFIX };
  await using producer = createApp({ ...options, routes: { "*": "for_task_A" } });
  await using other = createApp(options);
  const [kept, dropped] = [await producer.sendTask("tasks.taskA", [1, 2]), await producer.sendTask("tasks.taskA", [3, 4])];
  const byId = other.asyncResult(kept.id);
  expect(await byId.status()).toBe("PENDING");
  await expect(byId.get({ timeout: 300 })).rejects.toMatchObject({ code: "TASK_TIMEOUT" });
  expect(await other.revoke([dropped.id, randomUUID()])).toEqual([true, false]);

  await using worker = startWorker({ app: "tasks.mjs", env, cwd: project.directory });
  await worker.ready;
  expect(worker.entries[0]).toMatchObject({ queues: ["default", "for_task_A", "for_task_B", "for_hold"] });
  expect(await byId.get({ timeout: hangTimeout })).toBe(3);
  await worker.waitForEntry({ msg: "revoked", id: dropped.id });
  expect(worker.entries.filter(({ msg, id }) => msg === "succeeded" && id === dropped.id)).toEqual([]);
});

it.each(["inline", "threads", "processes"])("details() of a task that runs in the pool %s", async (pool) => {
  using project = makeProject({ "tasks.mjs": tasks });
  const env = { PREFIX: `routed-${randomUUID()}` };
  const options = { broker: redisUrl(), prefix: env.PREFIX };
  await using producer = createApp(options);
  await using other = createApp(options);
  const sent = await producer.sendTask("tasks.hold", [], { queue: "for_hold" });
  await using worker = startWorker({
    app: "tasks.mjs",
    args: ["-Q", "for_hold", "-P", pool, "-c", "1", "-n", "holder"],
    env,
    cwd: project.directory,
  });
  await worker.ready;
  const byId = other.asyncResult(sent.id);
  await eventually("it runs", async () => (await byId.status()) === "STARTED");
  expect(await byId.details()).toMatchObject({ state: "STARTED", worker: "holder", queue: "for_hold", attempt: 1, delivery: 1 });
  expect(worker.entries.filter(({ level }) => Number(level) >= 40)).toEqual([]);
  expect(await other.revoke(sent.id)).toBe(true);
  expect(await byId.status()).toBe("REVOKED");
});

it("details() of a job of a plain BullMQ producer, in a queue that the asking app declares", async () => {
  using project = makeProject({ "tasks.mjs": tasks });
  const env = { PREFIX: `routed-${randomUUID()}` };
  await using other = createApp({ broker: redisUrl(), prefix: env.PREFIX, routes: { "*": "for_hold" } });
  const connection = new Redis(redisUrl(), { maxRetriesPerRequest: null });
  const queue = new Queue("for_hold", { connection, prefix: env.PREFIX });
  try {
    const id = randomUUID();
    await queue.add("tasks.hold", {}, { jobId: id });
    const byId = other.asyncResult(id);
    expect(await byId.status()).toBe("PENDING");
    await using worker = startWorker({ app: "tasks.mjs", args: ["-n", "holder"], env, cwd: project.directory });
    await worker.ready;
    await eventually("it runs", async () => (await byId.status()) === "STARTED");
    expect(await byId.details()).toMatchObject({ name: "tasks.hold", worker: "holder", queue: "for_hold", attempt: 1, delivery: 1 });
    expect(await other.revoke(id)).toBe(true);
  } finally {
    await queue.close();
    connection.disconnect();
  }
});

import { randomUUID } from "node:crypto";
import { expect, inject, test } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { createApp, crontab } from "../../src/index.js";
import { take } from "../support.js";

test("app with all common options: compiles and runs", async () => {
  await using app = createApp({
    name: "tasks",
    broker: inject("redisUrl"),
    backend: inject("redisUrl"),
    prefix: `client-${randomUUID()}`,
    queues: [
      "default",
      { name: "for_task_A", exchange: "for_task_A", routingKey: "for_task_A" },
      { name: "for_task_B", exchange: "for_task_B", routingKey: "for_task_B" },
    ],
    routes: {
      "tasks.taskA": { queue: "for_task_A", routingKey: "for_task_A" },
      "tasks.taskB": "for_task_B",
      "feeds.*": { exchange: "feeds", routingKey: "feeds.import" },
    },
    defaultQueue: "default",
    timezone: "UTC",
    beat: {
      taskA_schedule: { task: "tasks.taskA", schedule: "20s", args: [5, 6] },
      nightly: { task: "tasks.add", schedule: crontab("0 3 * * *"), args: [1, 2], options: { queue: "default" } },
    },
  });
  const taskA = app.task("tasks.taskA", (x: number, y: number) => x + y);
  const taskB = app.task("tasks.taskB", { maxRetries: 5, timeLimit: "30s" }, async function (x: number, y: number, z: number) {
    this.log.info({ attempt: this.attempt }, "adding");
    return x + y + z;
  });

  expect(taskA(1, 2)).toBe(3);
  expect(await taskB(1, 2, 3)).toBe(6);
  const triggered = await app.beat.trigger<number>("taskA_schedule");
  const taken = await take(app, "for_task_A");
  expect(taken.message).toMatchObject({ id: triggered.id, args: [5, 6] });
  await taken.end({ type: "succeeded", result: "11" }, { result: 11 });
  expect(await triggered.get({ timeout: hangTimeout })).toBe(11);
  await app.beat.trigger("nightly");
  expect((await take(app)).message).toMatchObject({ task: "tasks.add", args: [1, 2] });
});

import { createApp } from "bullrush";

// Broker and result backend come from BULLRUSH_BROKER_URL and BULLRUSH_RESULT_BACKEND: here two
// databases of one Redis.
export const app = createApp({
  name: "tasks",
  queues: [
    "default",
    { name: "for_task_A", exchange: "for_task_A", routingKey: "for_task_A" },
    { name: "for_task_B", exchange: "for_task_B", routingKey: "for_task_B" },
  ],
  routes: {
    "tasks.taskA": { queue: "for_task_A", routingKey: "for_task_A" },
    "tasks.taskB": { exchange: "for_task_B", routingKey: "for_task_B" },
  },
  // Sent while a beat runs.
  beat: {
    taskA_schedule: { task: "tasks.taskA", schedule: "20s", args: [5, 6] },
    taskB_schedule: { task: "tasks.taskB", schedule: "20s", args: [10, 20, 30] },
  },
});

export const taskA = app.task("tasks.taskA", (x: number, y: number) => x + y);

export const taskB = app.task("tasks.taskB", async function (x: number, y: number, z: number) {
  this.log.debug({ attempt: this.attempt }, "adding");
  return x + y + z;
});

/** Has no route, so its calls go to the default queue. */
export const add = app.task("tasks.add", (x: number, y: number) => x + y);

export const divide = app.task("tasks.divide", { queue: "for_task_A" }, (x: number, y: number) => {
  if (y === 0) throw new RangeError("division by zero");
  return x / y;
});

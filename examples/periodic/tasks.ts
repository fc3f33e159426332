import { createApp, every } from "bullrush";

/** How many times faster than the schedules below the demo runs. */
const speed = Number(process.env["PERIODIC_SPEED"] ?? 1);
const seconds = (count: number) => every(`${(count * 1000) / speed}ms`);

export const app = createApp({
  name: "tasks",
  timezone: "UTC",
  beat: {
    taskA_schedule: { task: "tasks.taskA", schedule: seconds(20), args: [5, 6] },
    taskB_schedule: { task: "tasks.taskB", schedule: seconds(200), args: [10, 20, 30] },
    add_schedule: { task: "tasks.add", schedule: seconds(10), args: [1, 2] },
  },
});

export const taskA = app.task("tasks.taskA", (x: number, y: number) => x + y);

export const taskB = app.task("tasks.taskB", (x: number, y: number, z: number) => x + y + z);

export const add = app.task("tasks.add", (x: number, y: number) => x + y);

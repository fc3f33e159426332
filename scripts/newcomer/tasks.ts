import { createApp } from "bullrush";

// An enum is no type that could be stripped: the worker has to compile it, on every Node.
enum Offset {
  None,
}

export const app = createApp({ queues: ["for_task_A"] });
export const taskA = app.task("tasks.taskA", { queue: "for_task_A" }, (x: number, y: number) => x + y + Offset.None);

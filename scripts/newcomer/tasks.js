import { createApp } from "@bullrush/client";

export const app = createApp({ queues: ["for_task_A"] });
export const taskA = app.task("tasks.taskA", { queue: "for_task_A" }, (x, y) => x + y);

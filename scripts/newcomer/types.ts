import { type AsyncResult } from "@bullrush/client";
import { createWorker, type Worker } from "@bullrush/worker";
import { app, taskA } from "./tasks.js";

export const result: AsyncResult<number> = await taskA.delay(1, 2);
export const worker: Worker = createWorker(app, { queues: ["for_task_A"] });

// @ts-expect-error: its arguments are numbers
await taskA.delay("1", 2);

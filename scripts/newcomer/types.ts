import { type AsyncResult } from "@bullrush/client";
import { eager, expectSent, type Eager, type SentCall } from "@bullrush/testing";
import { createWorker, type Worker } from "@bullrush/worker";
import { testWorker, type TestWorker } from "bullrush/testing";
import { app, taskA } from "./tasks.js";

export const result: AsyncResult<number> = await taskA.delay(1, 2);
export const worker: Worker = createWorker(app, { queues: ["for_task_A"] });
export const mode: Eager = eager(app);
export const held: TestWorker = testWorker(app);
export const call: SentCall = expectSent(taskA, [1, 2]);

// @ts-expect-error: its arguments are numbers
await taskA.delay("1", 2);

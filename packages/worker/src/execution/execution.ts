import type { Delivery, Message } from "@bullrush/broker";
import type { TaskDefinition } from "@bullrush/client";
import type { Reader } from "./invoke.js";
import type { Stop } from "./stop.js";
import type { RunTrace } from "./run-trace.js";

/** One run of a message that has a task. */
export interface Execution {
  readonly delivery: Delivery;
  readonly message: Message;
  readonly definition: TaskDefinition;
  /** When it began, ms since the epoch. */
  readonly startedAt: number;
  /** Whether the result backend hears of it. */
  readonly storesResult: boolean;
  /** Whether the task is to end. */
  readonly stop: Stop;
  /** What it leaves besides its outcome. */
  readonly trace: RunTrace;
  /** Is called by the pool when the function begins: a runner may have to be started first. */
  readonly onBegin?: () => void;
}

/** Who reads what the function returns. */
export function readerOf({ delivery, storesResult }: Execution): Reader {
  if (delivery.content.type === "external") return "external";
  return storesResult ? "ours" : "nobody";
}

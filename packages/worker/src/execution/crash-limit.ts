import { BullrushError, type Delivery } from "@bullrush/broker";
import type { TaskDefinition } from "@bullrush/client";

/** How many crashes are tolerated unless the task says otherwise. */
const defaultMaxCrashes = 3;

/** How many times what runs a task may die. */
function maxCrashesOf({ options }: TaskDefinition): number {
  return options.maxCrashes ?? defaultMaxCrashes;
}

/** Whether a task must not run twice. */
export function isOnce({ options }: TaskDefinition): boolean {
  return options.delivery === "at-most-once";
}

/** Why a message whose workers died is not run again. */
export function crashLimitError({ crashes }: Delivery, definition: TaskDefinition): BullrushError | undefined {
  const task = definition.name;
  if (crashes > 0 && isOnce(definition)) return new BullrushError("WORKER_LOST", { task });
  return crashes >= maxCrashesOf(definition) ? new BullrushError("TASK_POISONED", { task, crashes }) : undefined;
}

/** Whether one more crash of a delivery would be the last that is tolerated, and more than one is. */
export function isRisky(delivery: Delivery, definition: TaskDefinition): boolean {
  return crashLimitError(delivery, definition) === undefined && delivery.crashes >= maxCrashesOf(definition) - 1;
}

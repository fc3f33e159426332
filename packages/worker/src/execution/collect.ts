import type { Message, Outcome } from "@bullrush/broker";
import type { TaskDefinition } from "@bullrush/client";

/** What ends a flow that has the place of a task and comes to an array: the array is the result. */
export const collect: TaskDefinition = { name: "bullrush.collect", options: {}, run: (value: unknown) => value };

/** What `collect` comes to. The runners of a pool have the app's tasks, not ours, so it does not go there. */
export function collected({ args }: Message): Outcome {
  return { type: "succeeded", result: JSON.stringify(args[0] ?? null) };
}

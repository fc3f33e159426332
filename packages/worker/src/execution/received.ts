import type { Delivery, Message } from "@bullrush/broker";
import type { TaskDefinition } from "@bullrush/client";

/** A delivery, and what is known here of its task. Checks read it, and say in it what is left to store. */
export interface Received {
  readonly delivery: Delivery;
  /** Absent if it cannot be read. */
  readonly message: Message | undefined;
  /** Absent if no task here is for it. */
  readonly definition: TaskDefinition | undefined;
  /** When it was taken up here, in ms since the epoch. */
  readonly startedAt: number;
  /** Whether the result backend hears of it. */
  readonly storesResult: boolean;
  /**
   * What of its end is still to be stored: `all`; `copies`, for the tasks that it replaces, because its own result stands already; or `nothing`.
   */
  toStore: "all" | "copies" | "nothing";
  /** Whether its number was claimed in the result backend. */
  isClaimed: boolean;
}

/** The task of a name, if one here is for it. */
export type DefinitionOf = (task: string) => TaskDefinition | undefined;

export function received(delivery: Delivery, startedAt: number, definitionOf: DefinitionOf): Received {
  const { content } = delivery;
  const message = content.type === "undecodable" ? undefined : content.message;
  const definition = message && definitionOf(message.task);
  const storesResult = message === undefined || stores(delivery, message, definition);
  return { delivery, message, definition, startedAt, storesResult, toStore: storesResult ? "all" : "nothing", isClaimed: false };
}

/** Whether the result backend hears of this delivery. A call whose sender may wait says itself what it wants; the declaration counts for the others. */
function stores({ content }: Delivery, { ignoreResult, replyTo, positions }: Message, definition?: TaskDefinition): boolean {
  // A job of a plain BullMQ producer has an id that is no task's, and keeps its own return value.
  if (content.type === "external") return false;
  // Whoever takes it again goes on with what it came to.
  if (positions !== undefined) return true;
  if (ignoreResult !== undefined) return !ignoreResult;
  return replyTo !== undefined || definition?.options.ignoreResult !== true;
}

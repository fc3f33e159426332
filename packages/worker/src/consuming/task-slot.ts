import type { Delivery } from "@bullrush/broker";
import type { AwaitedTask, AwaitedTasks } from "@bullrush/client";
import type { Stop } from "../execution/stop.js";

/** One wait of a task. */
export interface Wait {
  readonly awaited: AwaitedTasks;
}

/** The slot of one task that waits, or has waited, for others. */
export class TaskSlot {
  readonly delivery: Delivery;
  readonly stop: Stop;
  /** `held`: the task has it; `lent`: others use it; `due`: they do, and the task is to have the next that is free. */
  state: "held" | "lent" | "due" = "held";
  /** The waits under way: a task may wait for several results at once. */
  readonly waits = new Set<Wait>();
  /** How often in a row the task has looked at a result that was not there, by its id. */
  readonly polls = new Map<string, number>();
  /** When it last looked, ms since the epoch. */
  polledAt = 0;
  #regained: Promise<void> | undefined;
  #onRegained: (() => void) | undefined;

  constructor(delivery: Delivery, stop: Stop) {
    this.delivery = delivery;
    this.stop = stop;
  }

  /** For log lines. */
  get task(): string | undefined {
    const { content } = this.delivery;
    return content.type === "undecodable" ? undefined : content.message.task;
  }

  /** The tasks that have to end before it goes on. */
  awaited(): readonly AwaitedTask[] {
    return [...this.waits].flatMap((wait) => wait.awaited());
  }

  /** Resolves when the task has its slot back. */
  regained(): Promise<void> {
    return (this.#regained ??= new Promise((resolve) => (this.#onRegained = resolve)));
  }

  /** The task has its slot, or needs none any more. */
  hold(): void {
    this.state = "held";
    this.#onRegained?.();
    this.#regained = undefined;
    this.#onRegained = undefined;
  }
}

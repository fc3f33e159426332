import type { Delivery } from "@bullrush/broker";
import type { AwaitedTask, AwaitedTasks } from "@bullrush/client";
import type { Stop } from "../execution/stop.js";

/** One wait of a task. */
export interface Wait {
  readonly awaited: AwaitedTasks;
}

/** A task that looks at results again and again. */
export interface Poll {
  readonly wait: Wait;
  /** Fires when it has not looked for a while. */
  readonly timer: NodeJS.Timeout;
}

/** The delivery whose task has a slot, as far as the slot concerns it. */
export interface SlotHolder {
  readonly delivery: Delivery;
  /** Whether other tasks have the slot. */
  isLent: boolean;
}

/** The slot of one task that waits, or has waited, for others. */
export class TaskSlot {
  readonly #holder: SlotHolder;
  /** Whether the task is to end, because of a time limit too. */
  readonly stop: Stop;
  #state: "held" | "lent" | "due" = "held";
  /** The waits under way: a task may wait for several results at once. */
  readonly waits = new Set<Wait>();
  /** How often in a row the task has looked at a result that was not there, by its id. */
  readonly polls = new Map<string, number>();
  /** Absent while it does not poll. */
  poll: Poll | undefined = undefined;
  /** When it last looked, ms since the epoch. */
  polledAt = 0;
  #regained: Promise<void> | undefined;
  #onRegained: (() => void) | undefined;

  constructor(holder: SlotHolder, stop: Stop) {
    this.#holder = holder;
    this.stop = stop;
  }

  get delivery(): Delivery {
    return this.#holder.delivery;
  }

  /** `held`: the task has it; `lent`: others use it; `due`: they do, and the task is to have the next that is free. */
  get state(): "held" | "lent" | "due" {
    return this.#state;
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

  /** Others have it from now on. */
  lend(): void {
    this.#state = "lent";
    this.#holder.isLent = true;
  }

  /** The task wants its slot back, and is to have the next that is free. */
  ask(): void {
    this.#state = "due";
  }

  /** The task has its slot, or needs none any more. */
  hold(): void {
    this.#state = "held";
    this.#holder.isLent = false;
    this.#onRegained?.();
    this.#regained = undefined;
    this.#onRegained = undefined;
  }
}

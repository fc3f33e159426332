import type { QueueCounts } from "../ports/queues.js";
import type { Bound, Retention } from "../ports/retention.js";
import type { Message } from "../protocol/message.js";
import { noteEnd, type HeldMessage, type MessageLoan } from "./held-message.js";
import { Kept } from "./kept.js";

/** A message that could not be run, kept for inspection. Times are ms since the epoch. */
export interface DeadLetter {
  readonly id: string;
  readonly task: string;
  readonly at: number;
  readonly reason: string;
  /** Name of the worker. */
  readonly worker: string;
  /** The message, encoded; "" unless the arguments of finished tasks are kept. */
  readonly text: string;
}

/** A message that is to be enqueued, with its text. */
export type Arrival = Pick<Message, "id" | "task" | "priority"> & { readonly text: string };

const priorities = 10;

/**
 * The messages of one queue: those that wait, by priority and in their order; those that are not
 * due; those on loan; what is kept of the others.
 */
export class MessageQueue {
  readonly name: string;
  readonly #messages = new Map<string, HeldMessage>();
  readonly #lines: readonly HeldMessage[][] = Array.from({ length: priorities }, () => []);
  /** In the order in which they are due. */
  readonly #delayed: HeldMessage[] = [];
  readonly #taken = new Set<HeldMessage>();
  readonly #ended = { completed: new Kept<HeldMessage>(), failed: new Kept<HeldMessage>() };
  readonly deadLetters = new Kept<DeadLetter>();

  constructor(name: string) {
    this.name = name;
  }

  find(id: string): HeldMessage | undefined {
    return this.#messages.get(id);
  }

  /** The messages on loan, those that were taken first in front. */
  taken(): readonly HeldMessage[] {
    return [...this.#taken];
  }

  /** Enqueues a message, unless one with its id is there, kept or not. */
  add({ id, task, priority, text }: Arrival, due: number, now: number): void {
    if (this.#messages.has(id)) return;
    const message: HeldMessage = { id, task, priority, text, place: "new", due: 0, deliveries: 0, endings: 0 };
    this.#messages.set(id, message);
    if (due > now) this.delay(message, due);
    else this.append(message);
  }

  /** Puts a message behind those of its priority. */
  append(message: HeldMessage): void {
    this.#leave(message);
    message.place = "waiting";
    this.#lineOf(message.priority).push(message);
  }

  /** Puts a message before those of its priority. */
  putBack(message: HeldMessage): void {
    this.#leave(message);
    message.place = "waiting";
    this.#lineOf(message.priority).unshift(message);
  }

  /** Puts a message before all others of the queue. */
  promote(message: HeldMessage): void {
    this.#leave(message);
    message.place = "waiting";
    this.#lineOf(0).unshift(message);
  }

  /** Lets a message wait until `due`, in ms since the epoch. */
  delay(message: HeldMessage, due: number): void {
    this.#leave(message);
    message.place = "delayed";
    message.due = due;
    const at = this.#delayed.findLastIndex((other) => other.due <= due) + 1;
    this.#delayed.splice(at, 0, message);
  }

  /** Whether a message can be taken at `now`. */
  hasReady(now: number): boolean {
    return this.nextDue() <= now || this.#lines.some((line) => line.length > 0);
  }

  /** When the next delayed message is due; `Infinity` if there is none. */
  nextDue(): number {
    return this.#delayed[0]?.due ?? Infinity;
  }

  /** Takes the next message, if one can be taken at `loan.since`. */
  take(loan: MessageLoan): HeldMessage | undefined {
    while (this.nextDue() <= loan.since) this.append(this.#delayed[0] as HeldMessage);
    const message = this.#lines.find((line) => line.length > 0)?.shift();
    if (message === undefined) return undefined;
    message.place = "taken";
    message.loan = loan;
    message.deliveries++;
    this.#taken.add(message);
    return message;
  }

  /** Puts the messages back whose loan has run out at `now`, and returns how many. */
  recover(now: number): number {
    const lost = this.taken().filter(({ loan }) => loan !== undefined && loan.until <= now);
    for (const message of lost) this.putBack(message);
    return lost.length;
  }

  /** Ends a message, and keeps it within the bounds of `retention`. */
  end(message: HeldMessage, kind: "completed" | "failed", { retention, reason = "", now }: Ending): void {
    this.#leave(message);
    message.place = "ended";
    noteEnd(message, message.deliveries);
    message.endings++;
    for (const mark of ["startedDeliveries", "revoked", "terminate", "verdict", "unknownSince"] as const) delete message[mark];
    if (!retention.keepArguments) message.text = "";
    const bound: Bound = retention[kind];
    this.#drop(this.#ended[kind].add(message.id, message, { at: now, texts: message.text.length + reason.length, bound }));
  }

  /**
   * Removes what ended longer ago than `retention` keeps it. Returns how many dead letters went.
   */
  sweep({ completed, failed, deadLetter }: Retention, now: number): number {
    this.#drop(this.#ended.completed.dropBefore(now - completed.age));
    this.#drop(this.#ended.failed.dropBefore(now - failed.age));
    return this.deadLetters.dropBefore(now - deadLetter.age).length;
  }

  /** Removes a message, wherever it is. */
  remove(message: HeldMessage): void {
    this.#leave(message);
    this.#ended.completed.delete(message.id);
    this.#ended.failed.delete(message.id);
    this.#messages.delete(message.id);
  }

  /** Removes all messages that wait, due or not, and returns how many. */
  purge(): number {
    const waiting = [...this.#lines.flat(), ...this.#delayed];
    for (const line of this.#lines) line.length = 0;
    this.#delayed.length = 0;
    for (const { id } of waiting) this.#messages.delete(id);
    return waiting.length;
  }

  counts(): QueueCounts {
    return {
      queue: this.name,
      waiting: this.#lines.reduce((sum, line) => sum + line.length, 0),
      delayed: this.#delayed.length,
      active: this.#taken.size,
      completed: this.#ended.completed.size,
      failed: this.#ended.failed.size,
    };
  }

  #drop(ids: readonly string[]): void {
    for (const id of ids) this.#messages.delete(id);
  }

  #lineOf(priority: number): HeldMessage[] {
    return this.#lines[Math.min(priority, priorities - 1)] as HeldMessage[];
  }

  /** Takes a message from where it stands. */
  #leave(message: HeldMessage): void {
    if (message.place === "taken") this.#taken.delete(message);
    delete message.loan;
    if (message.place === "delayed") removeFrom(this.#delayed, message);
    if (message.place === "waiting") for (const line of this.#lines) if (removeFrom(line, message)) break;
  }
}

/** How a message ends. */
interface Ending {
  readonly retention: Retention;
  /** Why it failed. Default: "". */
  readonly reason?: string;
  readonly now: number;
}

function removeFrom(list: HeldMessage[], message: HeldMessage): boolean {
  const at = list.indexOf(message);
  if (at !== -1) list.splice(at, 1);
  return at !== -1;
}

import { isTerminal, type BullrushError, type Clock, type ResultBackend, type TaskRecord, type Transport } from "@bullrush/broker";
import { UnknownTaskError } from "./errors.js";

/** Whose result is awaited, and where its message may be. */
export interface Awaited {
  readonly id: string;
  readonly queues: readonly string[];
  /** Whether this process is told of it, because it sent it. */
  readonly own: boolean;
}

interface Wait {
  readonly awaited: Awaited;
  readonly resolve: (record: TaskRecord) => void;
  readonly reject: (error: unknown) => void;
  /** When to look next, and how long after that; `Infinity` while it is not to be looked at. */
  at: number;
  interval: number;
  looks: number;
}

/**
 * First and longest interval between two looks at a result that we are not told of; for one that we are told of, the longest holds from the start. Looks that are due
 * within `together` of each other are one. In ms.
 */
const intervals = { first: 50, longest: 1900, together: 25 };

/** Most results that are looked at in one command. */
const mostAtOnce = 5000;

/** Time that only goes forward, whatever becomes of the system's clock. */
const steadyClock: Clock = { now: () => performance.now() };

/**
 * Waits for results: told of those that this process sent, through one subscription; looking for the others, and now and then for all, because a notification can
 * be lost. All that are due are read in one command, unless they are very many.
 */
export class ResultWaiter {
  readonly #backend: ResultBackend;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #waits = new Map<string, Set<Wait>>();
  #subscribed: Promise<() => void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #closed: BullrushError | undefined;

  /** @param clock need not count from the epoch */
  constructor(backend: ResultBackend, transport: Transport, clock: Clock = steadyClock) {
    this.#backend = backend;
    this.#transport = transport;
    this.#clock = clock;
  }

  /**
   * The record of the task once it is terminal. Rejects with `UnknownTaskError` when nobody knows the id, with the signal's reason when it aborts, with what the backend
   * rejects with, and with what `close` was given.
   */
  async wait(awaited: Awaited, signal: AbortSignal): Promise<TaskRecord> {
    if (this.#closed !== undefined) throw this.#closed;
    signal.throwIfAborted();
    let remove = () => {};
    const ended = new Promise<TaskRecord>((resolve, reject) => {
      const interval = awaited.own ? intervals.longest : intervals.first;
      const wait: Wait = { awaited, resolve, reject, at: Infinity, interval, looks: 0 };
      this.#add(wait);
      remove = () => this.#remove(wait);
      // Told first, then looked: what ends in between is heard of.
      if (awaited.own) this.#subscribe().then(() => this.#lookSoon(wait), reject);
      else this.#lookSoon(wait);
    });
    return raced(ended, signal).finally(() => remove());
  }

  /** Rejects all that wait, and all that will. */
  close(reason: BullrushError): void {
    this.#closed = reason;
    for (const wait of this.#all()) wait.reject(reason);
    this.#waits.clear();
    this.#disarm();
    this.#subscribed?.then((stop) => stop()).catch(() => undefined);
  }

  #subscribe(): Promise<() => void> {
    this.#subscribed ??= this.#backend
      .subscribe((id, record) => this.#told(id, record))
      .catch((error: unknown) => {
        this.#subscribed = undefined;
        throw error;
      });
    return this.#subscribed;
  }

  #told(id: string, record: TaskRecord | undefined): void {
    for (const wait of this.#waits.get(id) ?? []) {
      if (record === undefined) this.#lookSoon(wait);
      else if (isTerminal(record.state)) wait.resolve(record);
    }
  }

  #add(wait: Wait): void {
    const { id } = wait.awaited;
    const waits = this.#waits.get(id);
    if (waits === undefined) this.#waits.set(id, new Set([wait]));
    else waits.add(wait);
  }

  #remove(wait: Wait): void {
    const { id } = wait.awaited;
    const waits = this.#waits.get(id);
    waits?.delete(wait);
    if (waits?.size === 0) this.#waits.delete(id);
    if (this.#waits.size === 0) this.#disarm();
  }

  *#all(): Iterable<Wait> {
    for (const waits of this.#waits.values()) yield* waits;
  }

  #lookSoon(wait: Wait): void {
    wait.at = this.#clock.now();
    if (this.#waits.get(wait.awaited.id)?.has(wait)) this.#arm(wait.at);
  }

  /** Sets the timer for the next look, unless it is set for an earlier one. */
  #arm(at: number): void {
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, at - this.#clock.now()));
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
  }

  /** Reads all that are due; if that is too many, the others next. */
  async #look(): Promise<void> {
    this.#disarm();
    const now = this.#clock.now();
    const due = Array.from(this.#all())
      .filter((wait) => wait.at <= now + intervals.together)
      .slice(0, mostAtOnce);
    for (const wait of due) {
      wait.at = Infinity;
      wait.looks++;
    }
    this.#armForNext();
    const missing = await this.#read(due);
    this.#lookAgain(due, now);
    await this.#findUnknown(missing.filter(({ awaited, looks }) => !awaited.own || looks > 1));
  }

  /** @param looked when these were looked at last; those that were told of meanwhile are due already */
  #lookAgain(waits: readonly Wait[], looked: number): void {
    for (const wait of waits) {
      if (wait.at !== Infinity) continue;
      wait.at = looked + wait.interval;
      wait.interval = Math.min(wait.interval * 2, intervals.longest);
    }
    this.#armForNext();
  }

  #armForNext(): void {
    let next = Infinity;
    for (const { at } of this.#all()) next = Math.min(next, at);
    this.#arm(next);
  }

  /** Ends the waits whose task has ended, or whose record cannot be had, and gives those of whose task there is no record. Never rejects. */
  async #read(waits: readonly Wait[]): Promise<readonly Wait[]> {
    if (waits.length === 0) return [];
    try {
      const records = await this.#backend.read(waits.map(({ awaited }) => awaited.id));
      return waits.filter((wait, index) => {
        const record = records[index];
        if (record !== undefined && isTerminal(record.state)) wait.resolve(record);
        return record === undefined;
      });
    } catch (error) {
      for (const wait of waits) wait.reject(error);
      return [];
    }
  }

  /** A task without a record that is in no queue either is unknown, unless its record came in between. */
  async #findUnknown(waits: readonly Wait[]): Promise<void> {
    if (waits.length === 0) return;
    // Without the broker nothing can be said of them; the backend alone may still bring their results.
    const locations = await this.#transport.locate(waits.map(({ awaited }) => awaited)).catch(() => []);
    const absent = waits.filter((_, index) => locations[index] === "absent");
    for (const wait of await this.#read(absent)) wait.reject(new UnknownTaskError(wait.awaited.id));
  }
}

/** `promise`, or a rejection with the signal's reason as soon as it aborts. */
function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    stop = () => signal.removeEventListener("abort", onAbort);
  });
  return Promise.race([promise, aborted]).finally(stop);
}

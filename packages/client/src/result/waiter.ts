import { BullrushError, isTerminal, systemClock, type Clock, type ResultBackend, type TaskRecord, type Transport } from "@bullrush/broker";
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
  /** When to look next, and how long after that. */
  at: number;
  interval: number;
  looks: number;
}

/** First and longest interval between two looks at a result that we are not told of; for one that we are told of, the longest holds from the start. In ms. */
const intervals = { first: 50, longest: 1900 };

/**
 * Waits for results: told of those that this process sent, through one subscription; looking for the others, and now and then for all, because a notification can
 * be lost. All that are due are read in one command.
 */
export class ResultWaiter {
  readonly #backend: ResultBackend;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #waits = new Map<string, Set<Wait>>();
  #subscribed: Promise<() => void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;

  constructor(backend: ResultBackend, transport: Transport, clock: Clock = systemClock) {
    this.#backend = backend;
    this.#transport = transport;
    this.#clock = clock;
  }

  /** The record of the task once it is terminal. Rejects with `UnknownTaskError` when nobody knows the id, with the signal's reason when it aborts. */
  async wait(awaited: Awaited, signal: AbortSignal): Promise<TaskRecord> {
    signal.throwIfAborted();
    // Told first, then looked: what ends in between is heard of.
    if (awaited.own) await raced(this.#subscribe(), signal);
    let remove = () => {};
    const ended = new Promise<TaskRecord>((resolve, reject) => {
      const interval = awaited.own ? intervals.longest : intervals.first;
      const wait: Wait = { awaited, resolve, reject, at: this.#clock.now(), interval, looks: 0 };
      this.#add(wait);
      remove = () => this.#remove(wait);
    });
    return raced(ended, signal).finally(() => remove());
  }

  /** Rejects all that wait. */
  close(reason: BullrushError): void {
    for (const wait of this.#all()) wait.reject(reason);
    this.#subscribed?.then((stop) => stop()).catch(() => undefined);
  }

  #subscribe(): Promise<() => void> {
    this.#subscribed ??= this.#backend.subscribe((id, record) => this.#told(id, record)).catch((error: unknown) => {
      this.#subscribed = undefined;
      throw error;
    });
    return this.#subscribed;
  }

  #told(id: string, record: TaskRecord | undefined): void {
    for (const wait of this.#waits.get(id) ?? []) {
      if (record === undefined) wait.at = this.#clock.now();
      else wait.resolve(record);
    }
    if (record === undefined) this.#arm();
  }

  #add(wait: Wait): void {
    const { id } = wait.awaited;
    const waits = this.#waits.get(id);
    if (waits === undefined) this.#waits.set(id, new Set([wait]));
    else waits.add(wait);
    this.#arm(wait.at);
  }

  #remove(wait: Wait): void {
    const waits = this.#waits.get(wait.awaited.id);
    waits?.delete(wait);
    if (waits?.size === 0) this.#waits.delete(wait.awaited.id);
    if (this.#waits.size === 0) this.#disarm();
  }

  *#all(): Iterable<Wait> {
    for (const waits of this.#waits.values()) yield* waits;
  }

  /** Sets the timer for the next look, at `at` or when the first of all is due. */
  #arm(at = Math.min(...Array.from(this.#all(), (wait) => wait.at))): void {
    if (at >= this.#timerAt || at === Infinity) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => {
        this.#disarm();
        void this.#look();
      },
      Math.max(0, at - this.#clock.now()),
    );
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
  }

  /** Reads all that are due. */
  async #look(): Promise<void> {
    const now = this.#clock.now();
    const due = Array.from(this.#all()).filter((wait) => wait.at <= now);
    for (const wait of due) {
      wait.at = now + wait.interval;
      wait.interval = Math.min(wait.interval * 2, intervals.longest);
      wait.looks++;
    }
    this.#arm();
    try {
      const missing = await this.#read(due);
      await this.#findUnknown(missing.filter(({ awaited, looks }) => !awaited.own || looks > 1));
    } catch (error) {
      for (const wait of due) wait.reject(error);
    }
  }

  /** Resolves the waits whose task has ended, and gives those of whose task there is no record. */
  async #read(waits: readonly Wait[]): Promise<readonly Wait[]> {
    const records = await this.#backend.read(waits.map(({ awaited }) => awaited.id));
    return waits.filter((wait, index) => {
      const record = records[index];
      if (record !== undefined && isTerminal(record.state)) wait.resolve(record);
      return record === undefined;
    });
  }

  /** A task without a record that is in no queue either is unknown, unless its record came in between. */
  async #findUnknown(waits: readonly Wait[]): Promise<void> {
    if (waits.length === 0) return;
    // Without the broker nothing can be said of them; the backend alone may still bring their results.
    const locations = await this.#transport.locate(waits.map(({ awaited }) => awaited)).catch(() => []);
    const absent = waits.filter((_, index) => locations[index] === "absent");
    if (absent.length === 0) return;
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

import {
  Alarm,
  isTerminal,
  systemTiming,
  type BullrushError,
  type ResultBackend,
  type TaskRecord,
  type Timing,
  type Transport,
} from "@bullrush/broker";
import { UnknownTaskError } from "./errors.js";

/** Whose result is awaited, and where its message may be. */
export interface Sought {
  readonly id: string;
  readonly queues: readonly string[];
  /** Whether this process is told of it, because it sent it. */
  readonly own: boolean;
  /** What `missed` of the waiter was before the task was sent; if it still is, no news of the task was missed. */
  readonly missed?: number | undefined;
}

/** A wait under way. */
export interface Waiting {
  /**
   * The record of the task once it is terminal. Rejects with `UnknownTaskError` when nobody knows the id, with what the backend rejects
   * with, and with what `giveUp` or `close` was given.
   */
  readonly ended: Promise<TaskRecord>;
  readonly giveUp: (reason: unknown) => void;
}

interface Wait {
  readonly sought: Sought;
  readonly resolve: (record: TaskRecord) => void;
  readonly reject: (reason: unknown) => void;
  /** When to look next, and how long after that; `Infinity` while it is not to be looked at. */
  at: number;
  interval: number;
  looks: number;
}

/**
 * First and longest interval between two looks at a result that we are not told of; for one that we are told of, the longest holds from
 * the first look on. Looks that are due within `together` of each other are one. In ms.
 */
const intervals = { first: 50, longest: 1900, together: 25 };

/** Most results that are looked at in one command. */
const mostAtOnce = 5000;

/**
 * Waits for results: told of those that this process sent, through one subscription; looking for the others, and now and then for all, because a notification can
 * be lost. All that are due are read in one command, unless they are very many.
 */
export class ResultWaiter {
  readonly #backend: ResultBackend;
  readonly #transport: Transport;
  readonly #timing: Timing;
  readonly #alarm: Alarm;
  readonly #waits = new Map<string, Wait[]>();
  #subscribing: Promise<() => void> | undefined;
  #subscribed = false;
  #missed = 0;
  #closed: BullrushError | undefined;

  constructor(backend: ResultBackend, transport: Transport, timing: Timing = systemTiming) {
    this.#backend = backend;
    this.#transport = transport;
    this.#timing = timing;
    this.#alarm = new Alarm(() => void this.#look(), timing);
  }

  /** How often it was told of a task that nobody waited for; `undefined` while it is told of none. */
  get missed(): number | undefined {
    return this.#subscribed ? this.#missed : undefined;
  }

  /** Begins to wait. */
  wait(sought: Sought): Waiting {
    if (this.#closed !== undefined) return { ended: Promise.reject(this.#closed), giveUp: () => undefined };
    let wait!: Wait;
    const ended = new Promise<TaskRecord>((resolve, reject) => {
      wait = { sought, resolve, reject, at: Infinity, interval: sought.own ? intervals.longest : intervals.first, looks: 0 };
    });
    this.#add(wait);
    if (!sought.own) this.#lookSoon(wait);
    else if (this.#subscribed) this.#lookAt(wait, sought.missed === this.#missed ? intervals.first : 0);
    // Told first, then looked: what ends in between is heard of.
    else
      this.#subscribe().then(
        () => this.#lookSoon(wait),
        (error: unknown) => this.#reject(wait, error),
      );
    return { ended, giveUp: (reason) => this.#reject(wait, reason) };
  }

  /** Rejects all that wait, and all that will. */
  close(reason: BullrushError): void {
    this.#closed = reason;
    for (const wait of this.#all()) wait.reject(reason);
    this.#waits.clear();
    this.#alarm.rest();
    this.#subscribing?.then((stop) => stop()).catch(() => undefined);
  }

  async #subscribe(): Promise<void> {
    try {
      await (this.#subscribing ??= this.#backend.subscribe((id, record) => this.#told(id, record)));
      this.#subscribed = true;
    } catch (error) {
      this.#subscribing = undefined;
      throw error;
    }
  }

  #told(id: string, record: TaskRecord | undefined): void {
    const waits = this.#waits.get(id);
    if (waits === undefined) this.#missed++;
    else if (record === undefined) for (const wait of waits) this.#lookSoon(wait);
    else if (isTerminal(record.state)) this.#resolve(id, record);
  }

  #add(wait: Wait): void {
    const { id } = wait.sought;
    const waits = this.#waits.get(id);
    if (waits === undefined) this.#waits.set(id, [wait]);
    else waits.push(wait);
  }

  /** Ends all waits for the task. */
  #resolve(id: string, record: TaskRecord): void {
    for (const wait of this.#replace(id, [])) wait.resolve(record);
  }

  #reject(wait: Wait, reason: unknown): void {
    const { id } = wait.sought;
    this.#replace(id, this.#waits.get(id)?.filter((other) => other !== wait) ?? []);
    wait.reject(reason);
  }

  /** Leaves only `left` waiting for the task, and gives those that waited. */
  #replace(id: string, left: Wait[]): readonly Wait[] {
    const before = this.#waits.get(id) ?? [];
    if (left.length > 0) this.#waits.set(id, left);
    else this.#waits.delete(id);
    if (this.#waits.size === 0) this.#alarm.rest();
    return before;
  }

  *#all(): Iterable<Wait> {
    for (const waits of this.#waits.values()) yield* waits;
  }

  #lookSoon(wait: Wait): void {
    this.#lookAt(wait, 0);
  }

  #lookAt(wait: Wait, delay: number): void {
    wait.at = this.#timing.now() + delay;
    if (this.#waits.has(wait.sought.id)) this.#alarm.set(wait.at);
  }

  /** Reads all that are due; if that is too many, the others next. */
  async #look(): Promise<void> {
    const now = this.#timing.now();
    const due = Array.from(this.#all())
      .filter((wait) => wait.at <= now + intervals.together)
      .slice(0, mostAtOnce);
    for (const wait of due) {
      wait.at = Infinity;
      wait.looks++;
    }
    this.#setAlarm();
    if (due.length === 0) return;
    const missing = await this.#read(due);
    this.#lookAgain(due, now);
    await this.#findUnknown(missing.filter(({ sought, looks }) => !sought.own || looks > 1));
  }

  /** @param looked when these were looked at last; those that were told of meanwhile are due already */
  #lookAgain(waits: readonly Wait[], looked: number): void {
    for (const wait of waits) {
      if (wait.at !== Infinity) continue;
      wait.at = looked + wait.interval;
      wait.interval = Math.min(wait.interval * 2, intervals.longest);
    }
    this.#setAlarm();
  }

  #setAlarm(): void {
    let next = Infinity;
    for (const { at } of this.#all()) next = Math.min(next, at);
    this.#alarm.set(next);
  }

  /** Ends the waits whose task has ended, or whose record cannot be had, and gives those of whose task there is no record. Never rejects. */
  async #read(waits: readonly Wait[]): Promise<readonly Wait[]> {
    if (waits.length === 0) return [];
    try {
      const records = await this.#backend.read(waits.map(({ sought }) => sought.id));
      return waits.filter((wait, index) => {
        const record = records[index];
        if (record !== undefined && isTerminal(record.state)) this.#resolve(wait.sought.id, record);
        return record === undefined;
      });
    } catch (error) {
      for (const wait of waits) this.#reject(wait, error);
      return [];
    }
  }

  /**
   * A task without a record that is in no queue either is unknown, unless its record came in between. One whose message waits revoked does
   * not run, though its record may have expired.
   */
  async #findUnknown(waits: readonly Wait[]): Promise<void> {
    if (waits.length === 0) return;
    // Without the broker nothing can be said of them; the backend alone may still bring their results.
    const locations = await this.#transport.locate(waits.map(({ sought }) => sought)).catch(() => []);
    const found = new Map(waits.map((wait, index) => [wait, locations[index]]));
    const over = waits.filter((wait) => found.get(wait) === "absent" || typeof found.get(wait) === "object");
    for (const wait of await this.#read(over)) {
      const { id } = wait.sought;
      const location = found.get(wait);
      if (typeof location === "object") this.#resolve(id, { state: "REVOKED", delivery: 0, reason: location.revoked });
      else this.#reject(wait, new UnknownTaskError(id));
    }
  }
}

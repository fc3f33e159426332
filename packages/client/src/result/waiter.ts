import {
  Alarm,
  isTerminal,
  systemTiming,
  type BullrushError,
  type Location,
  type ResultBackend,
  type TaskRecord,
  type Timing,
  type Transport,
} from "@bullrush/broker";
import { Agenda } from "./agenda.js";
import { UnknownTaskError } from "./errors.js";

/** Whose result is awaited, and where its message may be. */
export interface Sought {
  readonly id: string;
  readonly queues: readonly string[];
  /** Whether it may be in any other queue too. Default: false. */
  readonly elsewhere?: boolean;
  /** Whether this process is told of it, because it sent it. */
  readonly own: boolean;
  /** What `missed` of the waiter was before the task was sent; if it still is, no news of the task was missed. */
  readonly missed?: number | undefined;
}

/** Who waits for a result; called later, never at once. */
export interface Listener {
  /** Gets the record of the task once it is terminal. The last call, as `onError` is. */
  readonly onEnd: (record: TaskRecord) => void;
  /** Gets an `UnknownTaskError` when nobody knows the id, or what the backend or `close` rejects with. */
  readonly onError: (reason: unknown) => void;
  /** Gets records that are not terminal, the same one more than once. */
  readonly onNews?: ((record: TaskRecord) => void) | undefined;
  /** Called when it is known that the task has not ended yet, more than once. */
  readonly onPending?: (() => void) | undefined;
}

/** A wait under way. */
interface Wait {
  readonly sought: Sought;
  readonly listener: Listener;
  /** When to look next, and how long after that; `Infinity` while it is not to be looked at. */
  at: number;
  interval: number;
  looks: number;
  /** Whether it was told anything since the last look began, which is older. */
  told: boolean;
}

/**
 * First and longest interval between two looks at a result that we are not told of; for one that we are told of, the longest holds from
 * the first look on. In ms.
 */
const intervals = { first: 50, longest: 1900 };

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
  readonly #waits = new Map<string, Set<Wait>>();
  readonly #agenda = new Agenda<Wait>();
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

  /** Begins to wait, until it has ended or the returned function is called. */
  watch(sought: Sought, listener: Listener): () => void {
    if (this.#closed !== undefined) {
      queueMicrotask(() => listener.onError(this.#closed));
      return () => undefined;
    }
    const interval = sought.own ? intervals.longest : intervals.first;
    const wait: Wait = { sought, listener, at: Infinity, interval, looks: 0, told: false };
    this.#add(wait);
    if (!sought.own) this.#lookSoon(wait);
    else if (this.#subscribed && sought.missed === this.#missed) {
      this.#lookAt(wait, intervals.first);
      if (listener.onPending !== undefined) queueMicrotask(() => this.#tellPending(wait));
    } else if (this.#subscribed) this.#lookSoon(wait);
    // Told first, then looked: what ends in between is heard of.
    else
      this.#subscribe().then(
        () => this.#lookSoon(wait),
        (error: unknown) => this.#fail(wait, error),
      );
    return () => this.#drop(wait);
  }

  /** Rejects all that wait, and all that will. */
  close(reason: BullrushError): void {
    this.#closed = reason;
    for (const waits of this.#waits.values()) for (const wait of waits) this.#fail(wait, reason);
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
    const ended = record !== undefined && isTerminal(record.state);
    if (waits === undefined) {
      if (record === undefined || ended) this.#missed++;
    } else if (ended) this.#resolve(id, record);
    else
      for (const wait of waits) {
        wait.told = true;
        if (record === undefined) this.#lookSoon(wait);
        else wait.listener.onNews?.(record);
      }
  }

  #add(wait: Wait): void {
    const { id } = wait.sought;
    const waits = this.#waits.get(id);
    if (waits === undefined) this.#waits.set(id, new Set([wait]));
    else waits.add(wait);
  }

  /** Ends all waits for the task. */
  #resolve(id: string, record: TaskRecord): void {
    for (const wait of this.#waits.get(id) ?? []) {
      if (this.#drop(wait)) wait.listener.onEnd(record);
    }
  }

  #fail(wait: Wait, reason: unknown): void {
    if (this.#drop(wait)) wait.listener.onError(reason);
  }

  /** Ends the wait, and says whether it was still under way. */
  #drop(wait: Wait): boolean {
    const { id } = wait.sought;
    const waits = this.#waits.get(id);
    if (!waits?.delete(wait)) return false;
    this.#agenda.remove(wait);
    if (waits.size === 0) this.#waits.delete(id);
    if (this.#waits.size === 0) this.#alarm.rest();
    return true;
  }

  #isUnderWay(wait: Wait): boolean {
    return this.#waits.get(wait.sought.id)?.has(wait) === true;
  }

  #tellPending(wait: Wait): void {
    if (this.#isUnderWay(wait)) wait.listener.onPending?.();
  }

  #lookSoon(wait: Wait): void {
    this.#lookAt(wait, 0);
  }

  #lookAt(wait: Wait, delay: number): void {
    if (!this.#isUnderWay(wait)) return;
    const at = this.#timing.now() + delay;
    this.#agenda.set(wait, at);
    this.#alarm.set(at);
  }

  /** Reads all that are due; if that is too many, the others next. */
  async #look(): Promise<void> {
    const now = this.#timing.now();
    const due = this.#agenda.take(now, mostAtOnce);
    for (const wait of due) {
      wait.looks++;
      wait.told = false;
    }
    this.#alarm.set(this.#agenda.next);
    if (due.length === 0) return;
    const missing = await this.#read(due);
    this.#lookAgain(due, now);
    await this.#findUnknown(missing.filter(({ sought, looks }) => !sought.own || looks > 1));
  }

  /** @param looked when these were looked at last; those that were told of meanwhile are due already */
  #lookAgain(waits: readonly Wait[], looked: number): void {
    for (const wait of waits) {
      if (wait.at !== Infinity || !this.#isUnderWay(wait)) continue;
      this.#agenda.set(wait, looked + wait.interval);
      wait.interval = Math.min(wait.interval * 2, intervals.longest);
      wait.listener.onPending?.();
    }
    this.#alarm.set(this.#agenda.next);
  }

  /** Ends the waits whose task has ended, or whose record cannot be had, and gives those of whose task there is no record. Never rejects. */
  async #read(waits: readonly Wait[]): Promise<readonly Wait[]> {
    if (waits.length === 0) return [];
    try {
      const records = await this.#backend.read(waits.map(({ sought }) => sought.id));
      return waits.filter((wait, index) => {
        const record = records[index];
        if (record === undefined) return true;
        if (isTerminal(record.state)) this.#resolve(wait.sought.id, record);
        else if (!wait.told) wait.listener.onNews?.(record);
        return false;
      });
    } catch (error) {
      for (const wait of waits) this.#fail(wait, error);
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
    const revokedAt = (location: Location | undefined) => (typeof location === "object" && "revoked" in location ? location : undefined);
    const over = waits.filter((wait) => found.get(wait) === "absent" || revokedAt(found.get(wait)) !== undefined);
    for (const wait of await this.#read(over)) {
      const { id } = wait.sought;
      const location = revokedAt(found.get(wait));
      if (location !== undefined) this.#resolve(id, { state: "REVOKED", delivery: 0, reason: location.revoked });
      else this.#fail(wait, new UnknownTaskError(id));
    }
  }
}

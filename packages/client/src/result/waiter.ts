import {
  SharedTimer,
  BullrushError,
  isTerminal,
  systemTiming,
  type Location,
  type ReadOptions,
  type Queues,
  type Results,
  type TaskRecord,
  type Timing,
} from "@bullrush/broker";
import { TimingWheel } from "./timing-wheel.js";
import type { AwaitedResult } from "./awaited-result.js";
import { UnknownTaskError } from "./errors.js";
import type { Listener } from "./listener.js";
import { intervals, intervalsOf, isToLocate, type Wait } from "./wait.js";

/** Maximum number of results that one command reads. */
const maxAtOnce = 5000;

/**
 * Waits for results. One subscription notifies it of the tasks that this process sent. It polls for
 * all others, and rarely for all tasks, because a notification can be lost. One command reads all
 * results that are due, up to a limit.
 */
export class ResultWaiter {
  readonly #results: Results;
  readonly #queues: Queues;
  readonly #timing: Timing;
  readonly #timer: SharedTimer;
  readonly #waits = new Map<string, Set<Wait>>();
  readonly #wheel = new TimingWheel<Wait>();
  #subscribing: Promise<() => void> | undefined;
  #subscribed = false;
  #missed = 0;
  #closed: BullrushError | undefined;

  constructor(results: Results, queues: Queues, timing: Timing = systemTiming) {
    this.#results = results;
    this.#queues = queues;
    this.#timing = timing;
    this.#timer = new SharedTimer(() => void this.#look(), timing);
  }

  /**
   * How many notifications came for tasks that were not awaited; `undefined` while it is not
   * subscribed.
   */
  get missed(): number | undefined {
    return this.#subscribed ? this.#missed : undefined;
  }

  /** Begins a wait, until the task has ended or the returned function is called. */
  watch(awaited: AwaitedResult, listener: Listener): () => void {
    if (this.#closed !== undefined) {
      queueMicrotask(() => listener.onError(this.#closed));
      return () => undefined;
    }
    const interval = intervalsOf(awaited).first;
    const wait: Wait = { awaited, listener, at: Infinity, interval, looks: 0, notified: false, cut: false };
    this.#add(wait);
    if (!awaited.own) this.#lookSoon(wait);
    else if (this.#subscribed && awaited.missed === this.#missed) {
      this.#lookAt(wait, intervals.polled.first);
      if (listener.onPending !== undefined) queueMicrotask(() => this.#notifyPending(wait));
    } else if (this.#subscribed) this.#lookSoon(wait);
    // Subscribe first, then look: so an end in between is not missed.
    else this.#subscribeFor(wait);
    return () => this.#drop(wait);
  }

  /** Rejects all waits, and all later ones. */
  close(reason: BullrushError): void {
    this.#closed = reason;
    for (const waits of this.#waits.values()) for (const wait of waits) this.#fail(wait, reason);
    this.#subscribing?.then((stop) => stop()).catch(() => undefined);
  }

  #subscribeFor(wait: Wait): void {
    this.#subscribe().then(
      () => this.#lookSoon(wait),
      (error: unknown) => {
        this.#failRead(wait, error);
        this.#lookAt(wait, intervals.polled.first);
      },
    );
  }

  async #subscribe(): Promise<void> {
    try {
      await (this.#subscribing ??= this.#results.subscribe(
        (id, record) => this.#notified(id, record),
        () => this.#resubscribed(),
      ));
      this.#subscribed = true;
    } catch (error) {
      this.#subscribing = undefined;
      throw error;
    }
  }

  #notified(id: string, record: TaskRecord | undefined): void {
    const waits = this.#waits.get(id);
    const ended = record !== undefined && isTerminal(record.state);
    if (waits === undefined) {
      if (record === undefined || ended) this.#missed++;
    } else if (ended) this.#resolve(id, record);
    else
      for (const wait of waits) {
        wait.notified = true;
        if (record === undefined) this.#lookSoon(wait);
        else wait.listener.onNews?.(record);
      }
  }

  /** The subscription was interrupted: any awaited task may have ended. */
  #resubscribed(): void {
    this.#missed++;
    for (const waits of this.#waits.values()) for (const wait of waits) if (wait.awaited.own) this.#lookSoon(wait);
  }

  #add(wait: Wait): void {
    const { id } = wait.awaited;
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

  /**
   * The backend could not be read. The wait goes on through an outage, and ends with any other
   * error.
   */
  #failRead(wait: Wait, error: unknown): void {
    const isOutage = error instanceof BullrushError && error.code === "RESULT_BACKEND_UNAVAILABLE";
    if (!isOutage) return this.#fail(wait, error);
    if (!this.#isUnderWay(wait)) return;
    wait.cut = true;
    wait.listener.onOutage?.(error);
  }

  /** Ends the wait. Returns whether it was still under way. */
  #drop(wait: Wait): boolean {
    const { id } = wait.awaited;
    const waits = this.#waits.get(id);
    if (!waits?.delete(wait)) return false;
    this.#wheel.remove(wait);
    if (waits.size === 0) this.#waits.delete(id);
    if (this.#waits.size === 0) this.#timer.rest();
    return true;
  }

  #isUnderWay(wait: Wait): boolean {
    return this.#waits.get(wait.awaited.id)?.has(wait) === true;
  }

  #notifyPending(wait: Wait): void {
    if (this.#isUnderWay(wait)) wait.listener.onPending?.();
  }

  #lookSoon(wait: Wait): void {
    this.#lookAt(wait, 0);
  }

  #lookAt(wait: Wait, delay: number): void {
    if (!this.#isUnderWay(wait)) return;
    const at = this.#timing.now() + delay;
    this.#wheel.set(wait, at);
    this.#timer.set(at);
  }

  /** Reads the results that are due; if there are too many, the others next. */
  async #look(): Promise<void> {
    const now = this.#timing.now();
    const due = this.#wheel.take(now, maxAtOnce);
    for (const wait of due) {
      wait.looks++;
      wait.notified = false;
    }
    this.#timer.set(this.#wheel.next);
    if (due.length === 0) return;
    const missing = await this.#read(due);
    this.#lookAgain(due, now);
    await this.#findUnknown(missing.filter(isToLocate));
  }

  /** @param looked when these were read last; those with a notification since are due already */
  #lookAgain(waits: readonly Wait[], looked: number): void {
    for (const wait of waits) {
      if (wait.at !== Infinity || !this.#isUnderWay(wait)) continue;
      this.#wheel.set(wait, looked + wait.interval);
      wait.interval = Math.min(wait.interval * 2, intervalsOf(wait.awaited).max);
      if (!wait.cut) wait.listener.onPending?.();
    }
    this.#timer.set(this.#wheel.next);
  }

  /**
   * Ends the waits whose task has ended or whose record cannot be read, and returns those without a
   * record. Never rejects.
   */
  async #read(waits: readonly Wait[], options?: ReadOptions): Promise<readonly Wait[]> {
    if (waits.length === 0) return [];
    try {
      const records = await this.#results.read(
        waits.map(({ awaited }) => awaited.id),
        options,
      );
      for (const wait of waits) if (wait.cut) this.#reached(wait);
      return waits.filter((wait, index) => {
        const record = records[index];
        if (record === undefined) return true;
        if (isTerminal(record.state)) this.#resolve(wait.awaited.id, record);
        else if (!wait.notified) wait.listener.onNews?.(record);
        return false;
      });
    } catch (error) {
      for (const wait of waits) this.#failRead(wait, error);
      return [];
    }
  }

  /** The backend answers again. */
  #reached(wait: Wait): void {
    wait.cut = false;
    wait.listener.onOutage?.(undefined);
    if (wait.awaited.own && !this.#subscribed) this.#subscribeFor(wait);
  }

  /**
   * A task without a record that is in no queue is unknown, unless its record was stored in
   * between. A task whose waiting message is revoked does not run, even if its record has expired.
   */
  async #findUnknown(waits: readonly Wait[]): Promise<void> {
    if (waits.length === 0) return;
    // Without the broker nothing is known of them; the backend alone may still get their results.
    const locations = await this.#queues.locate(waits.map(({ awaited }) => awaited)).catch(() => []);
    const found = new Map(waits.map((wait, index) => [wait, locations[index]]));
    const revokedAt = (location: Location | undefined) => (typeof location === "object" && "revoked" in location ? location : undefined);
    const over = waits.filter((wait) => found.get(wait) === "absent" || revokedAt(found.get(wait)) !== undefined);
    for (const wait of await this.#read(over, { isSure: true })) {
      const { id } = wait.awaited;
      const location = revokedAt(found.get(wait));
      if (location !== undefined) this.#resolve(id, { state: "REVOKED", delivery: 0, reason: location.revoked });
      else this.#fail(wait, new UnknownTaskError(id));
    }
  }
}

import { BullrushError, memoryEngine, type Clock, type MemoryEngine } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import type { Worker } from "@bullrush/worker";
import { recordingEngine } from "./recording-engine.js";
import { sentCallOf, type SentCall } from "./sent-call.js";
import { start, workerOn, type WorkerSettings } from "./worker.js";

/** A call that was sent, and what it belongs to. */
export interface LoggedCall {
  readonly call: SentCall;
  /** Id of its flow, or its own if it stands alone. */
  readonly unit: string;
  /** The first task of all that came of one call of the test. */
  readonly rootId: string;
}

export interface UnderTestOptions {
  readonly clock: Clock;
  /** As `app.substitute()` takes it. Default: senders wait for nothing. */
  readonly whenSent?: (ids: readonly string[]) => Promise<void>;
  /** Hears to which queues something was sent, after it was logged. */
  readonly onSent?: (queues: readonly string[]) => void;
}

/** How long a beat leads unless it renews its term, in ms: tests move the clock by days. */
const lead = 100 * 24 * 3600 * 1000;

/** The steps that no user has written are not shown. */
const internalTask = "bullrush.collect";

const known = new WeakMap<App, AppUnderTest>();
const current = new Set<AppUnderTest>();

/** The one of `app`, also once it is released. `undefined` if there never was one. */
export function underTest(app: App): AppUnderTest | undefined {
  return known.get(app);
}

/** Those that are not released. */
export function allUnderTest(): readonly AppUnderTest[] {
  return [...current];
}

/** An app on an in-memory engine of its own, which keeps what is sent, and workers on it. */
export class AppUnderTest {
  readonly app: App;
  readonly engine: MemoryEngine;
  readonly #log: LoggedCall[] = [];
  readonly #stopNews: () => void;
  readonly #giveBack: () => void;
  readonly #starting = new Set<Promise<void>>();
  readonly #workers = new Set<Worker>();
  #news = 0;
  #listeners: (() => void)[] = [];

  /** Throws `INVALID_OPTION` while the app is under test already. */
  constructor(app: App, { clock, whenSent, onSent }: UnderTestOptions) {
    for (const other of current) if (other.app === app) refuseTwice(app);
    const { name, prefix, maxPayload } = app.options;
    const engine = memoryEngine({ app: name, prefix, maxPayload, clock, lead });
    this.app = app;
    this.engine = recordingEngine(engine, ({ flow, messages }) => {
      for (const routed of messages) {
        const { id, task, rootId } = routed.message;
        if (task !== internalTask) this.#log.push({ call: sentCallOf(routed), unit: flow ?? id, rootId });
      }
      onSent?.(messages.map(({ queue }) => queue));
    });
    this.#stopNews = engine.onNews(() => this.#tell());
    this.#giveBack = app.substitute(this.engine, whenSent);
    current.add(this);
    known.set(app, this);
  }

  /** What was sent, in order. It grows. */
  get log(): readonly LoggedCall[] {
    return this.#log;
  }

  /** Whether the app is back on its own engine. */
  get isReleased(): boolean {
    return !current.has(this);
  }

  /** How often the queues have changed. */
  get news(): number {
    return this.#news;
  }

  /** Resolves when the queues have changed more often than `seen` times. */
  newsAfter(seen: number): Promise<void> {
    return this.#news > seen ? Promise.resolve() : new Promise((resolve) => this.#listeners.push(resolve));
  }

  /** Starts a worker on the app. Rejects as `createWorker` and its `start` do. */
  async work(settings: WorkerSettings): Promise<Worker> {
    const worker = workerOn(this.app, settings);
    const starting = start(worker);
    this.#starting.add(starting);
    this.#workers.add(worker);
    try {
      await starting;
      return worker;
    } finally {
      this.#starting.delete(starting);
    }
  }

  /** Stops a worker. Tasks that still run are asked to end. */
  async rest(worker: Worker): Promise<void> {
    await worker.stop(AbortSignal.abort());
    this.#workers.delete(worker);
  }

  /**
   * Puts the app back on its own engine: at once, unless a worker is starting. Resolves when no
   * task runs any more. What waits for news waits no more.
   */
  async release(): Promise<void> {
    if (this.#starting.size > 0) await Promise.allSettled(this.#starting);
    this.#giveBack();
    this.#stopNews();
    current.delete(this);
    this.#tell();
    await Promise.all([...this.#workers].map((worker) => this.rest(worker)));
    await this.engine.close();
  }

  #tell(): void {
    this.#news++;
    for (const listener of this.#listeners.splice(0)) listener();
  }
}

function refuseTwice(app: App): never {
  throw new BullrushError("INVALID_OPTION", {
    option: `app "${app.options.name}"`,
    got: "under test already",
    expected: "an app whose eager() was restored, or whose testWorker() was stopped",
  });
}

import { enclosingTask, type App } from "@bullrush/client";
import type { Worker } from "@bullrush/worker";
import type { Logger } from "pino";
import { AppUnderTest } from "./app-under-test.js";
import { SkippingClock } from "./skipping-clock.js";

export interface EagerOptions {
  /** Where the lines of the worker go. Default: nowhere. */
  readonly log?: Logger;
}

/** The app runs what it sends until it is restored. */
export interface Eager extends Disposable, AsyncDisposable {
  /**
   * Puts the app back on its own engine, at once unless a call is under way. Resolves when no task
   * runs any more: those that still do are asked to end. Handles of eager calls find nothing from
   * then on. Safe to call again.
   */
  restore(): Promise<void>;
}

/** Tasks that wait for tasks keep their slots, so there is always one more. */
const concurrency = 1_000_000;

/**
 * Runs what `app` sends here and now, until it is restored: `delay()` resolves when the task has
 * ended, with all its attempts, and so has all that it sent. Nothing else differs from a worker on
 * Redis: routes, checks, middleware, JSON, limits, canvases. Countdowns, etas and the delays of
 * retries are skipped. Throws `INVALID_OPTION` while the app is under test already.
 */
export function eager(app: App, { log }: EagerOptions = {}): Eager {
  const clock = new SkippingClock();
  const workers = new Map<string, Promise<Worker>>();
  const under = new AppUnderTest(app, { clock, whenSent: run, onSent: takeFrom });
  let restored: Promise<void> | undefined;

  /** Has a worker take from each of these queues. */
  function takeFrom(queues: readonly string[]): void {
    if (restored !== undefined) return;
    const wanted = workers.size === 0 ? [...app.options.queues, ...queues] : queues;
    const names = [...new Set(wanted)].filter((name) => !workers.has(name));
    if (names.length === 0) return;
    const worker = under.work({ queues: names, concurrency, log });
    // Whoever waits for what was sent hears of it.
    worker.catch(() => undefined);
    for (const name of names) workers.set(name, worker);
  }

  /** Resolves when what has these ids has ended, outside a task with all that came of it. */
  async function run(ids: readonly string[]): Promise<void> {
    await Promise.all(new Set(workers.values()));
    for (const id of ids) await ended(id);
    if (isInTask()) return;
    const own = new Set(ids);
    const roots = new Set(under.log.flatMap(({ unit, rootId }) => (own.has(unit) ? [rootId] : [])));
    // The log grows meanwhile.
    for (const { unit, rootId } of under.log) if (roots.has(rootId)) await ended(unit);
  }

  async function ended(unit: string): Promise<void> {
    while (!under.isReleased) {
      const seen = under.news;
      const [location] = await under.engine.queues.locate([{ id: unit, queues: [], elsewhere: true }]);
      if (location === "absent") return;
      const { running, nextDue } = under.engine.workload();
      // Nothing is left that could end it.
      if (running === 0 && nextDue === Infinity) return;
      if (nextDue !== Infinity && nextDue > clock.now()) {
        clock.skipTo(nextDue);
        under.engine.useClock(clock);
      }
      await under.newsAfter(seen);
    }
  }

  const restore = () => (restored ??= under.release());
  return { restore, [Symbol.dispose]: () => void restore(), [Symbol.asyncDispose]: restore };
}

/** Whether this code runs in a task that a worker runs. */
function isInTask(): boolean {
  const task = enclosingTask();
  return task !== undefined && task.worker !== "local";
}

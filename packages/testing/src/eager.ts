import { enclosingTask, outsideTask, type App } from "@bullrush/client";
import { createWorker, type Worker } from "@bullrush/worker";
import type { Logger } from "pino";
import { AppUnderTest, type LoggedCall } from "./app-under-test.js";
import { SkippingClock } from "./skipping-clock.js";
import { workerOptions } from "./worker-options.js";

export interface EagerOptions {
  /** Where the lines of the worker go. Default: nowhere. */
  readonly log?: Logger;
}

/** What `eager()` returns: the app runs what it sends until it is restored. */
export interface Eager extends Disposable, AsyncDisposable {
  /**
   * Puts the app back on its own engine at once, and resolves when nothing of the tests runs any more: a task that still does is asked
   * to end. Handles of eager calls find nothing from then on. Safe to call again.
   */
  restore(): Promise<void>;
}

/** Tasks that wait for tasks keep their slots, so there is always one more. */
const concurrency = 1_000_000;

/**
 * Runs what `app` sends here and now, until it is restored: `delay()` resolves when the task has ended, with all its attempts, and so
 * has all that it sent. Nothing else differs from a worker on Redis: routes, checks, middleware, JSON, limits, canvases. Countdowns,
 * etas and the delays of retries are skipped. Throws `INVALID_OPTION` while the app is under test already.
 */
export function eager(app: App, { log }: EagerOptions = {}): Eager {
  const clock = new SkippingClock();
  const workers = new Map<string, Promise<Worker>>();
  const under = new AppUnderTest(app, { clock, whenSent: run, onSent: takeFrom });
  let restored: Promise<void> | undefined;

  /** Has a worker take from each of these queues. */
  function takeFrom(queues: readonly string[]): void {
    const wanted = workers.size === 0 ? [...app.options.queues, ...queues] : queues;
    const names = [...new Set(wanted)].filter((name) => !workers.has(name));
    if (names.length === 0) return;
    const started = outsideTask(() => startWorker(names));
    // Whoever waits for what was sent hears of it.
    started.catch(() => undefined);
    for (const name of names) workers.set(name, started);
  }

  async function startWorker(queues: readonly string[]): Promise<Worker> {
    const worker = createWorker(app, { ...workerOptions(log), queues, concurrency }, { leavesApp: true });
    await worker.start();
    return worker;
  }

  /** Resolves when what was sent under these ids has ended; outside a task also all that came of it. */
  async function run(ids: readonly string[]): Promise<void> {
    await Promise.all(new Set(workers.values()));
    const own = new Set(ids);
    const isOwn = ({ unit }: LoggedCall) => own.has(unit);
    const roots = new Set(isInTask() ? [] : under.log.filter(isOwn).map(({ rootId }) => rootId));
    const first = under.log.findIndex(isOwn);
    if (first === -1) return;
    for (let index = first; index < under.log.length; index++) {
      const call = under.log[index] as LoggedCall;
      if (isOwn(call) || roots.has(call.rootId)) await ended(call.unit);
    }
  }

  async function ended(unit: string): Promise<void> {
    for (;;) {
      const seen = under.news;
      const [location] = await under.engine.queues.locate([{ id: unit, queues: [], elsewhere: true }]);
      if (location === "absent" || under.isReleased) return;
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

  async function restoreOnce(): Promise<void> {
    under.release();
    const started = await Promise.allSettled(new Set(workers.values()));
    const stopping = started.flatMap((one) => (one.status === "fulfilled" ? one.value.stop(AbortSignal.abort()) : []));
    await Promise.all(stopping);
    await under.engine.close();
  }

  const restore = () => (restored ??= restoreOnce());
  return { restore, [Symbol.dispose]: () => void restore(), [Symbol.asyncDispose]: restore };
}

/** Whether this code runs in a task that a worker runs. */
function isInTask(): boolean {
  const task = enclosingTask();
  return task !== undefined && task.worker !== "local";
}

import { setImmediate as turn } from "node:timers/promises";
import { BullrushError, MovableClock, toMilliseconds, type Duration } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import type { Worker } from "@bullrush/worker";
import type { Logger } from "pino";
import { AppUnderTest } from "./app-under-test.js";
import { workerOn } from "./worker.js";

export interface TestWorkerOptions {
  /** Queues to take from. Default: all that the app declares. */
  readonly queues?: readonly string[];
  /** How many tasks may run at once. Default: 100. */
  readonly concurrency?: number;
  /** What time it is at first. Default: the system's time. */
  readonly now?: Date;
  /** Where the lines of the worker go. Default: nowhere. */
  readonly log?: Logger;
}

/** A worker that runs nothing but in `drain()` and `advance()`. */
export interface TestWorker extends Disposable, AsyncDisposable {
  /** The time of the app and its tasks. It stands still until the test moves it. */
  readonly clock: MovableClock;
  /** Runs what is due, and what that sends, until nothing is due any more and nothing runs. */
  drain(): Promise<void>;
  /**
   * Moves the clock on by `time`, in ms or as `"1h"`, and runs what comes due meanwhile, each at
   * its own time and in the order of these times: countdowns, etas, retries, and the ticks of a
   * beat that was started on the app. A task that ends only when the clock moves holds it up: move
   * `clock` while it runs. Rejects with `INVALID_OPTION` for what is no length of time.
   */
  advance(time: Duration): Promise<void>;
  /**
   * Puts the app back on its own engine, at once unless the worker is starting. Resolves when no
   * task runs any more: those that still do are asked to end. Nothing runs from then on. Safe to
   * call again.
   */
  stop(): Promise<void>;
}

/** How many turns of the event loop a beat has to send what is due: it needs one, or a few. */
const beatTurns = 100;

/**
 * Puts `app` on an in-memory engine of its own, and returns the worker on it. Throws
 * `INVALID_OPTION` or `INVALID_QUEUE_NAME` for options that do not fit, and while the app is under
 * test already.
 */
export function testWorker(app: App, given: TestWorkerOptions = {}): TestWorker {
  const { queues, concurrency = 100, now, log } = given;
  const clock = new MovableClock(now?.getTime());
  const settings = { ...(queues !== undefined && { queues }), concurrency, log };
  const under = new AppUnderTest(app, { clock });
  const { engine } = under;
  let users = 0;
  let worker: Promise<Worker> | undefined;
  let stopped: Promise<void> | undefined;

  /** Has the worker take as long as `body` lasts. */
  async function working(body: (names: readonly string[]) => Promise<void>): Promise<void> {
    if (stopped !== undefined) refuseStopped(app);
    users++;
    try {
      const { options } = await (worker ??= under.work(settings));
      await body(options.queues.map(({ name }) => name));
    } finally {
      if (--users === 0) await rest();
    }
  }

  async function rest(): Promise<void> {
    const resting = worker;
    worker = undefined;
    const working = await resting?.catch(() => undefined);
    if (working !== undefined) await under.rest(working);
  }

  async function idle(names: readonly string[]): Promise<void> {
    while (!under.isReleased) {
      const seen = under.news;
      const { running, nextDue } = engine.workload(names);
      if (running === 0 && nextDue > clock.now()) return;
      await under.newsAfter(seen);
    }
  }

  /** When the next entry is due, in ms since the epoch, once a beat has sent what is due. */
  async function nextTick(): Promise<number> {
    for (let turns = 1; ; turns++) {
      // A beat that has sent what is due looks once more, and sleeps then.
      await turn();
      const entries = (await engine.schedules.list()).filter(({ paused }) => !paused);
      const dues = entries.flatMap(({ due }) => due ?? []);
      const isBehind = dues.length < entries.length || dues.some((due) => due <= clock.now());
      if (!isBehind || turns === beatTurns) return Math.min(Infinity, ...dues.filter((due) => due > clock.now()));
    }
  }

  async function advance(time: Duration): Promise<void> {
    const until = clock.now() + toMilliseconds(time, "the time to advance by");
    await working(async (names) => {
      for (let next = clock.now(); next <= until && !under.isReleased;) {
        clock.advance(Math.max(0, next - clock.now()));
        const tick = await nextTick();
        await idle(names);
        next = Math.min(tick, engine.workload(names).nextDue);
      }
      clock.advance(Math.max(0, until - clock.now()));
      await idle(names);
    });
  }

  const stop = () => (stopped ??= under.release());
  try {
    // What does not fit is refused here and now.
    workerOn(app, settings);
  } catch (error) {
    void stop();
    throw error;
  }
  return {
    clock,
    drain: () => working(idle),
    advance,
    stop,
    [Symbol.dispose]: () => void stop(),
    [Symbol.asyncDispose]: stop,
  };
}

function refuseStopped(app: App): never {
  throw new BullrushError("INVALID_OPTION", {
    option: `the test worker of app "${app.options.name}"`,
    got: "stopped",
    expected: "one that is not: call testWorker() again",
  });
}

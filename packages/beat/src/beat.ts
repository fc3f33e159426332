import { steadyClock, systemClock } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import { jsonLogger, ThrottledLog } from "@bullrush/program";
import { ClockWatch } from "./clock-watch.js";
import { Election } from "./election.js";
import { Timetables } from "./entry.js";
import { LeaderLoop } from "./leader-loop.js";
import { openMetrics } from "./metrics.js";
import { compileBeatOptions, type BeatOptions, type CompiledBeatOptions } from "./options.js";
import { Sending } from "./sending.js";
import { ServerTime } from "./server-time.js";
import { ChangeListener } from "./service/change-listener.js";
import { Sleeper } from "./sleeper.js";

/** One beat of an app. Any number may run: one of them leads and sends the ticks that are due. */
export interface Beat {
  readonly options: CompiledBeatOptions;
  /**
   * Connects, then leads or follows; does neither after `stop()`. Rejects within 5 s if the broker
   * cannot be reached or refuses the user.
   */
  start(): Promise<void>;
  /**
   * Resigns at once, so that another beat leads. Resolves when nothing is being sent any more.
   * Leaves the app open.
   */
  stop(): Promise<void>;
  /** The metrics, in Prometheus' text format: `beat_tick_lateness_seconds`. */
  metrics(): Promise<string>;
}

/** Creates a beat of `app`. Throws `INVALID_OPTION`. */
export function createBeat(app: App, given: BeatOptions = {}): Beat {
  const options = compileBeatOptions(given);
  const log = given.log ?? jsonLogger();
  const metrics = openMetrics();
  let parts: { readonly election: Election; readonly listener: ChangeListener } | undefined;
  let started: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;

  async function startOnce(): Promise<void> {
    if (stopped !== undefined) return;
    const { election, listener } = (parts = assemble());
    for (const warning of await app.engine.schedules.open(options)) log.warn(warning);
    await election.start();
    if (stopped === undefined) listener.start();
  }

  function assemble() {
    const { schedules: store, clock } = app.engine;
    const steady = clock ?? steadyClock;
    const throttledLog = new ThrottledLog(log, systemClock);
    const sleeper = new Sleeper(clock);
    const timetables = new Timetables(app.options);
    const sending = new Sending({ app, timetables, metrics, log, random: Math.random });
    const time = new ServerTime(steady);
    const watch = new ClockWatch(clock ?? systemClock, log);
    const shared = { app, store, sending, timetables, time, sleeper, log, throttledLog, maxInterval: options.maxInterval, steady };
    const leader = (term: ConstructorParameters<typeof LeaderLoop>[1]) =>
      new LeaderLoop({ ...shared, onTime: (now, took) => watch.compare(now, took) }, term);
    const election = new Election({ store, leader, sleeper, log, throttledLog });
    return { election, listener: new ChangeListener(store, (news) => election.onNews(news), throttledLog) };
  }

  async function stopOnce(): Promise<void> {
    parts?.listener.stop();
    await parts?.election.stop();
    await started?.catch(() => undefined);
  }

  return {
    options,
    start: () => (started ??= startOnce()),
    stop: () => (stopped ??= stopOnce()),
    metrics: () => metrics.text(),
  };
}

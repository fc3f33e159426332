import { systemClock, type Clock } from "../time/clock.js";
import { newId as randomId } from "../protocol/id.js";
import { systemTiming, type Timing } from "../time/shared-timer.js";
import type { Consumer } from "../ports/consumer.js";
import type { Engine, EngineClock } from "../ports/engine.js";
import { defaultMaxPayload, maxMessageBytes } from "../protocol/payload-limit.js";
import { Access } from "./access.js";
import { MemoryConsumer } from "./consumer.js";
import { memoryControlBus } from "./control-bus.js";
import { memoryFlows } from "./flows/flows.js";
import { MemorySpace, spaceNamed } from "./memory-space.js";
import { memoryQueues } from "./queues.js";
import type { Workload } from "./queue-table.js";
import { memoryResults } from "./results.js";
import { memorySchedules } from "./schedules.js";
import { SpaceTime } from "./space-time.js";
import { memoryWorkerNames } from "./worker-names.js";

export interface MemoryEngineOptions {
  /**
   * Engines of one name in one process share all they hold. Default: the engine shares with nobody.
   */
  readonly name?: string;
  /** Engines of one name share only what they hold under the same prefix. Default: `bull`. */
  readonly prefix?: string;
  /**
   * Where the time comes from. An engine of a name that is in use takes the time from where the
   * first one does. Default: the system.
   */
  readonly clock?: Clock;
  /**
   * What sets timers, by the same clock. Default: the clock if it is a `Timing`, else the system.
   */
  readonly timing?: Pick<Timing, "setTimer">;
  /** Makes tokens, versions and the name of the reply channel. Default: random UUIDs. */
  readonly newId?: () => string;
  /** Name of the app: beats tell by it whose entries are whose. Default: `app`. */
  readonly app?: string;
  /** Longest encoded message, in bytes. Default: 1 MiB. */
  readonly maxPayload?: number;
  /** How long a beat leads unless it renews its term, in ms. Default: 10,000. */
  readonly lead?: number;
}

export interface MemoryEngine extends Engine {
  /** The time of the engine. */
  readonly clock: EngineClock;

  /**
   * Takes the time from elsewhere from now on, for all engines of its name. Consumers that wait
   * look at the new clock at once.
   */
  useClock(clock: Clock, timing?: Pick<Timing, "setTimer">): void;

  /** What these queues hold at this moment; without `queues`, all queues of its name. */
  workload(queues?: readonly string[]): Workload;

  /**
   * Calls `listener` whenever a message has come, was revoked or is settled, and when the clock is
   * replaced. Returns a function that stops the calls.
   */
  onNews(listener: () => void): () => void;
}

/**
 * Everything in the memory of this process: for tests, and for programs of one process that may
 * lose their tasks when it ends.
 */
export function memoryEngine(options: MemoryEngineOptions = {}): MemoryEngine {
  const {
    name,
    prefix = "bull",
    clock = systemClock,
    timing = timingOf(clock),
    newId = randomId,
    app = "app",
    maxPayload = defaultMaxPayload,
  } = options;
  const ownTime = new SpaceTime(clock, timing);
  const space = name === undefined ? new MemorySpace(ownTime) : spaceNamed(`${prefix}:${name}`, ownTime);
  const { time, queues, results, flows } = space;
  const url = `memory://${name ?? ""}`;
  const parts = { flows, queues, results, time };
  const access = new Access(url);
  const consumers = new Set<Consumer>();
  const stored = memoryResults(results, new Access(url), newId());
  const control = memoryControlBus(space.control, new Access(url));
  const schedules = memorySchedules({
    calendar: space.calendarOf(app),
    queues,
    time,
    access: new Access(url),
    newId,
    maxPayload,
    lead: options.lead ?? 10_000,
  });
  return {
    queues: memoryQueues({ queues, flows, time, access, maxPayload }),
    results: stored,
    flows: memoryFlows(parts, access),
    schedules,
    control,
    workers: memoryWorkerNames(space.workers, time, access),
    isLocal: true,
    display: { broker: url, backend: url },
    // There are none.
    onConnectionError: () => {},
    clock: time,
    consume: (given) => {
      const consumer = new MemoryConsumer(
        { maxMessageBytes: maxMessageBytes(maxPayload), ...given },
        { parts, access: new Access(url), newId },
      );
      consumers.add(consumer);
      return consumer;
    },
    useClock: (nextClock, nextTiming = timingOf(nextClock)) => {
      time.use(nextClock, nextTiming);
      queues.wake();
    },
    workload: (names) => queues.workload(names),
    onNews: (listener) => queues.onNews(listener),
    close: async () => {
      access.close();
      await Promise.all([...[...consumers].map((consumer) => consumer.close()), stored.close(), control.close(), schedules.close()]);
    },
  };
}

function timingOf(clock: Clock): Pick<Timing, "setTimer"> {
  return "setTimer" in clock ? (clock as Clock & Timing) : systemTiming;
}

import type { Scenario } from "../measuring/scenario.js";
import { drainLog } from "./drain-log.js";
import { drainQueues } from "./drain-queues.js";
import { drainResults } from "./drain-results.js";
import { drain } from "./drain.js";
import { enqueueBulk } from "./enqueue-bulk.js";
import { enqueueConcurrent } from "./enqueue-concurrent.js";
import { enqueueSequential } from "./enqueue-sequential.js";
import { fanIn } from "./fan-in.js";
import { growth } from "./growth.js";
import { languages } from "./languages.js";
import { latencyIdle } from "./latency-idle.js";
import { latencyLoad } from "./latency-load.js";
import { memoryQueued } from "./memory-queued.js";
import { memoryWorker } from "./memory-worker.js";
import { roundTrips } from "./round-trips.js";

/** All scenarios, in the order in which they run. */
export const catalogue: readonly Scenario[] = [
  enqueueSequential,
  enqueueConcurrent,
  enqueueBulk,
  drain(1, 10_000),
  drain(10, 50_000),
  drain(100, 50_000),
  drain(200, 50_000),
  drainLog,
  drainQueues,
  drainResults("text1kB", 20_000),
  drainResults("text100kB", 2000),
  roundTrips(1, 3000),
  roundTrips(100, 10_000),
  latencyIdle,
  latencyLoad("half"),
  latencyLoad("equal"),
  fanIn,
  memoryQueued,
  memoryWorker,
  growth("1k", 1000),
  growth("100k", 100_000),
  growth("1m", 1_000_000),
  ...languages,
];

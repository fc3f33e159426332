import type { Scenario } from "../measuring/scenario.js";
import { drain } from "./drain.js";
import { enqueueConcurrent } from "./enqueue-concurrent.js";
import { enqueueSequential } from "./enqueue-sequential.js";
import { idleLatency } from "./idle-latency.js";
import { roundTrips } from "./round-trips.js";

/** All scenarios, in the order in which they run. */
export const catalogue: readonly Scenario[] = [enqueueSequential, enqueueConcurrent, drain, roundTrips, idleLatency];

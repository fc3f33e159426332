import { ours, oursOfFour, oursOfTwo, peer, peerOfFour, peerOfTwo } from "../contenders/roster.js";
import { fill, measureDrain } from "../measuring/draining.js";
import type { Scenario } from "../measuring/scenario.js";

/** The cost of several queues in one process. */
export const drainQueues: Scenario = {
  name: "drain-queues",
  title: "%n waiting tasks in one, two or four queues, one process with 100 slots in all",
  tasks: 50_000,
  contenders: [ours, oursOfTwo, oursOfFour, peerOfTwo, peerOfFour, peer],
  prepare: fill,
  measure: (contender, setting) => measureDrain(contender, setting, 100),
};

import { bee, ours, oursBeside, oursElsewhere, peer } from "../contenders/roster.js";
import { fill, measureDrain } from "../measuring/draining.js";
import type { Scenario } from "../measuring/scenario.js";

/** From the start of a worker until all waiting tasks are done and their results are stored. */
export function drain(slots: number, tasks: number): Scenario {
  return {
    name: `drain-${slots}`,
    title: `%n waiting tasks that do nothing, one worker with ${slots} ${slots === 1 ? "slot" : "slots"}, results stored`,
    tasks,
    contenders: [ours, oursBeside, oursElsewhere, bee, peer],
    prepare: fill,
    measure: (contender, setting) => measureDrain(contender, setting, slots),
  };
}

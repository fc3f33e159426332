import type { Body } from "../contenders/body.js";
import { ours, oursBeside, peer } from "../contenders/roster.js";
import { fill, measureDrain } from "../measuring/draining.js";
import type { Scenario } from "../measuring/scenario.js";

/** The cost of large results. */
export function drainResults(body: Extract<Body, `text${string}`>, tasks: number): Scenario {
  const size = body.slice("text".length);
  return {
    name: `drain-results-${size}`,
    title: `%n waiting tasks, each with a result of ${size.replace("kB", " kB")}, 100 slots`,
    tasks,
    body,
    contenders: [ours, oursBeside, peer],
    prepare: fill,
    measure: (contender, setting) => measureDrain(contender, setting, 100),
  };
}

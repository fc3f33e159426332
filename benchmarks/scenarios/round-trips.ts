import { bee, ours, peer } from "../contenders/roster.js";
import { measureRoundTrips } from "../measuring/asking.js";
import type { Scenario } from "../measuring/scenario.js";

/** A client that sends tasks and waits for their results, and a worker in another process. */
export function roundTrips(inFlight: number, tasks: number): Scenario {
  return {
    name: `round-trips-${inFlight}`,
    title: `%n tasks sent and their results awaited, ${inFlight} in flight; CPU is the client's`,
    tasks,
    contenders: [ours, bee, peer],
    work: (contender, setting) => contender.consume(setting, { concurrency: 100 }),
    measure: (contender, setting) => measureRoundTrips(contender, setting, inFlight),
  };
}

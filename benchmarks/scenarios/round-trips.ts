import { ours, peer } from "../contenders/roster.js";
import { askAll } from "../measuring/load.js";
import { startMeter } from "../measuring/meter.js";
import type { Scenario } from "../measuring/scenario.js";

const inFlight = 100;
const warmUp = 500;

/** A client that sends tasks and waits for their results, and a worker in another process. CPU is the client's. */
export const roundTrips: Scenario = {
  name: "round-trips",
  title: "%n tasks sent and their results awaited, 100 in flight; CPU is the client's",
  tasks: 10_000,
  contenders: [ours, peer],

  work: (contender, { url }) => contender.consume(url, 100, (sent) => sent),

  measure: async (contender, { url, tasks }) => {
    const producer = contender.produce(url);
    await askAll(producer, 0, warmUp, inFlight);
    const meter = startMeter();
    await askAll(producer, warmUp, warmUp + tasks, inFlight);
    const reading = meter.read(tasks);
    await producer.close();
    return reading;
  },
};

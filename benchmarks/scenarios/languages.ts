import { bee, foreign, ours, peer } from "../contenders/roster.js";
import { measureRoundTrips } from "../measuring/asking.js";
import { fill, measureDrain } from "../measuring/draining.js";
import type { Scenario } from "../measuring/scenario.js";
import { measureSending } from "../measuring/sending.js";

const tasks = 20_000;
const contenders = [ours, ...foreign, bee, peer];
const note = "(slow ones get fewer)";

/**
 * Libraries in other languages, each with its default worker, on the one core that Node has
 * otherwise.
 */
export const languages: readonly Scenario[] = [
  {
    name: "languages-enqueue",
    title: `%n tasks ${note} sent, each awaited before the next`,
    tasks,
    contenders,
    measure: (contender, setting) => measureSending(contender, setting, { call: "send", width: 1 }),
  },
  {
    name: "languages-drain",
    title: `%n waiting tasks ${note}, results stored`,
    tasks,
    contenders,
    prepare: fill,
    measure: (contender, setting) => measureDrain(contender, setting, 100),
  },
  {
    name: "languages-round-trips",
    title: `%n tasks ${note} sent and their results awaited, one in flight`,
    tasks: 5000,
    // Sidekiq has no results to wait for.
    contenders: contenders.filter(({ id }) => id !== "sidekiq"),
    work: (contender, setting) => contender.consume(setting, { concurrency: 100 }),
    measure: (contender, setting) => measureRoundTrips(contender, setting, 1),
  },
];

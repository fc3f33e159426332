import { bee, ours, peer } from "../contenders/roster.js";
import type { Scenario } from "../measuring/scenario.js";
import { measureSending } from "../measuring/sending.js";

export const enqueueBulk: Scenario = {
  name: "enqueue-bulk",
  title: "%n tasks sent, 1,000 by each call for many",
  tasks: 50_000,
  contenders: [ours, bee, peer],
  measure: (contender, setting) => measureSending(contender, setting, { call: "sendBulk", width: 1000 }),
};

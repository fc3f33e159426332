import { bee, ours, peer } from "../contenders/roster.js";
import type { Scenario } from "../measuring/scenario.js";
import { measureSending } from "../measuring/sending.js";

export const enqueueConcurrent: Scenario = {
  name: "enqueue-concurrent",
  title: "%n tasks sent, 1,000 at a time",
  tasks: 50_000,
  contenders: [ours, bee, peer],
  measure: (contender, setting) => measureSending(contender, setting, { call: "send", width: 1000 }),
};

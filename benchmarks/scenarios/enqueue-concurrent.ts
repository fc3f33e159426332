import { ours, peer } from "../contenders/roster.js";
import { measureSending } from "../measuring/sending.js";
import type { Scenario } from "../measuring/scenario.js";

export const enqueueConcurrent: Scenario = {
  name: "enqueue-concurrent",
  title: "%n tasks sent, 1,000 at a time",
  tasks: 50_000,
  contenders: [ours, peer],
  measure: (contender, setting) => measureSending(contender, setting, 1000),
};

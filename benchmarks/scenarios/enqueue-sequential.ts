import { ours, peer } from "../contenders/roster.js";
import { measureSending } from "../measuring/sending.js";
import type { Scenario } from "../measuring/scenario.js";

export const enqueueSequential: Scenario = {
  name: "enqueue-sequential",
  title: "%n tasks sent, each awaited before the next",
  tasks: 10_000,
  contenders: [ours, peer],
  measure: (contender, setting) => measureSending(contender, setting, 1),
};

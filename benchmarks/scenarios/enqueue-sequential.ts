import { bee, ours, peer } from "../contenders/roster.js";
import type { Scenario } from "../measuring/scenario.js";
import { measureSending } from "../measuring/sending.js";

export const enqueueSequential: Scenario = {
  name: "enqueue-sequential",
  title: "%n tasks sent, each awaited before the next",
  tasks: 10_000,
  contenders: [ours, bee, peer],
  measure: (contender, setting) => measureSending(contender, setting, { call: "send", width: 1 }),
};

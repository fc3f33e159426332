// One stage of one run, in a process of its own; its parent says which.
import type { FromStage, Stage } from "./measuring/stage.js";
import { catalogue } from "./scenarios/catalogue.js";

const { type, scenario: name, contender: id, setting } = JSON.parse(process.argv[2] ?? "") as Stage;
const scenario = catalogue.find((scenario) => scenario.name === name);
const contender = scenario?.contenders.find((contender) => contender.id === id);

// The parent disconnects when it has all results. Every process that this one started must end with
// it.
process.once("disconnect", () => process.exit(0));
process.once("SIGTERM", () => process.exit(143));
process.once("SIGINT", () => process.exit(130));
process.send?.(await run());

async function run(): Promise<FromStage> {
  if (scenario === undefined || contender === undefined) throw new Error(`no ${id} in ${name}`);
  switch (type) {
    case "prepare":
      return { type: "prepared", sent: (await scenario.prepare?.(contender, setting)) ?? [] };
    case "work":
      await scenario.work?.(contender, setting);
      return { type: "ready" };
    case "measure":
      return { type: "done", sample: await scenario.measure(contender, setting) };
  }
}

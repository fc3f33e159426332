// Measures Bullrush beside BullMQ: `pnpm bench --help`.
import { compare, type Row } from "./measuring/comparison.js";
import type { Sample } from "./measuring/metric.js";
import { readOptions, usage, UsageError, type Options } from "./measuring/options.js";
import { runOnce } from "./measuring/round.js";
import type { Scenario, Setting } from "./measuring/scenario.js";
import type { StageOptions } from "./measuring/stage.js";
import { load, openSurroundings } from "./measuring/surroundings.js";
import { tableOf } from "./measuring/table.js";
import { catalogue } from "./scenarios/catalogue.js";

const options = optionsOrExit();
const surroundings = await openSurroundings();
const { url, core, description, warnings } = surroundings;
const stageOptions = { ...(core !== undefined && { core }), ...(options.profile !== undefined && { profile: options.profile }) };

const show = options.json ? () => undefined : console.log;
for (const line of description) show(line);
for (const warning of warnings) console.error(`Warning: ${warning}`);

const reports = [];
try {
  for (const scenario of options.scenarios) {
    const tasks = options.tasks ?? scenario.tasks;
    const title = scenario.title.replace("%n", tasks.toLocaleString("en-US"));
    show(`\n${scenario.name}: ${title}`);
    const rows = await compareContenders(scenario, { url, tasks }, stageOptions);
    show(tableOf(rows));
    reports.push({ scenario: scenario.name, title, tasks, rows });
  }
} finally {
  await surroundings.close();
}
const { rounds } = options;
show(`\nRounds: ${rounds}. Columns: median, least–most, ratio of the medians to the peer's, median of the ratios within each round.`);
show(`Now ${load()}.`);
if (options.json) console.log(JSON.stringify({ rounds, surroundings: description, warnings, load: load(), reports }, null, 2));

/** Contenders in turn within each round, so that whatever else the machine does meets all of them. */
async function compareContenders(scenario: Scenario, setting: Setting, stageOptions: StageOptions): Promise<readonly Row[]> {
  const samples = new Map(scenario.contenders.map(({ name }): [string, Sample[]] => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of scenario.contenders) {
      samples.get(contender.name)?.push(await runOnce(scenario, contender, setting, stageOptions));
    }
  }
  return compare(samples);
}

function optionsOrExit(): Options {
  try {
    const options = readOptions(process.argv.slice(2), catalogue);
    if (!options.help) return options;
    console.log(`${usage}\n\nScenarios: ${catalogue.map(({ name }) => name).join(", ")}`);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

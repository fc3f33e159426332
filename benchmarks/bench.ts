// Measures Bullrush beside other libraries: `pnpm bench --help`.
import { readFile, writeFile } from "node:fs/promises";
import { contendersOf, readOptions, usage, UsageError, type Options } from "./measuring/options.js";
import { run } from "./measuring/run.js";
import { fillPage } from "./reporting/page.js";
import { plotOf } from "./reporting/plot.js";
import type { Report, ScenarioReport } from "./reporting/report.js";
import { tableOf } from "./reporting/table.js";
import { catalogue } from "./scenarios/catalogue.js";

// The processes that it started end with it.
process.once("SIGTERM", () => process.exit(143));
process.once("SIGINT", () => process.exit(130));

const options = optionsOrExit();
const { from, json, plot, report: page } = options;
const report = from === undefined ? await run(options, show) : (JSON.parse(await readFile(from, "utf8")) as Report);
if (from !== undefined) report.scenarios.forEach(show);

if (json) console.log(JSON.stringify(report, null, 2));
else console.log(`\n${[...report.surroundings, `${report.rounds} rounds`].join("\n")}\nRatios are to the last in each list.`);
if (plot !== undefined) await writeFile(plot, plotOf(report));
if (page !== undefined) await writeFile(page, fillPage(await readFile(page, "utf8"), report));
if (report.failures.length > 0) process.exitCode = 1;

function show({ name, title, rows }: ScenarioReport): void {
  if (json) console.error(`${name}: done`);
  else console.log(`\n${name}: ${title}\n${tableOf(rows)}`);
}

function optionsOrExit(): Options {
  try {
    const options = readOptions(process.argv.slice(2), catalogue);
    if (!options.help) return options;
    const [scenarios, contenders] = [catalogue.map(({ name }) => name), contendersOf(catalogue).map(({ id }) => id)];
    console.log(`${usage}\n\nScenarios: ${scenarios.join(", ")}\n\nContenders: ${contenders.join(", ")}`);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

import { compare } from "../reporting/comparison.js";
import type { Report, ScenarioReport } from "../reporting/report.js";
import { contendersOf, type Options } from "./options.js";
import { runOnce } from "./round.js";
import type { Contender } from "../contenders/contender.js";
import type { Sample } from "./metric.js";
import type { Scenario } from "./scenario.js";
import { commit, openMachine, type Machine } from "./surroundings.js";

/** Number of tasks in a run with `--quick`. */
const few = 20;

/** Measures the chosen scenarios. `onScenario` is called after each. */
export async function run(options: Options, onScenario: (report: ScenarioReport) => void): Promise<Report> {
  const date = new Date().toISOString();
  const surroundings = await openMachine({ pinned: !options.quick });
  const versions = new Map(contendersOf(options.scenarios).map((contender) => [contender, contender.version()]));
  const absent = [...versions].filter(([, version]) => version === undefined);
  const warnings = [
    ...surroundings.warnings,
    ...absent.map(([{ name, install = "" }]) => `${name} is left out: it is not installed (${install})`),
  ];
  for (const warning of warnings) console.error(`Warning: ${warning}`);
  const failures: string[] = [];
  const scenarios: ScenarioReport[] = [];
  try {
    for (const scenario of options.scenarios) {
      const contenders = scenario.contenders.filter((contender) => versions.get(contender) !== undefined);
      const report = await measure({ ...scenario, contenders }, options, surroundings, failures);
      scenarios.push(report);
      onScenario(report);
    }
  } finally {
    await surroundings.close();
  }
  const described = [...surroundings.description, versionsLine(versions)];
  return { date, rounds: options.rounds, surroundings: described, warnings, failures, scenarios };
}

/**
 * Runs the contenders in turn within each round, in alternating order, so that other load on the
 * machine affects all of them. A contender that fails is left out from then on.
 */
async function measure(scenario: Scenario, options: Options, surroundings: Machine, failures: string[]): Promise<ScenarioReport> {
  const { core, url, otherUrl, folder } = surroundings;
  const { rounds, quick, profile } = options;
  const tasks = options.tasks ?? (quick ? few : scenario.tasks);
  const stageOptions = { ...(core !== undefined && { core }), ...(profile !== undefined && { profile }) };
  const samples = new Map<Contender, Sample[]>(scenario.contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round++) {
    const forth = [...samples];
    for (const [contender, taken] of round % 2 === 0 ? forth : forth.toReversed()) {
      const own = Math.max(1, Math.round(tasks * (contender.share ?? 1)));
      const setting = { url, otherUrl, folder, quick, tasks: own, body: scenario.body ?? ("echo" as const), sent: [] };
      try {
        taken.push(await runOnce(scenario, contender, setting, stageOptions));
      } catch (error) {
        samples.delete(contender);
        const failure = `${contender.name} failed in ${scenario.name}: ${error instanceof Error ? error.message : String(error)}`;
        failures.push(failure);
        console.error(failure);
      }
    }
  }
  const series = [...samples].map(([{ name }, samples]) => ({ contender: name, samples }));
  const title = scenario.title.replace("%n", tasks.toLocaleString("en-US"));
  return { name: scenario.name, title, rows: compare(series, scenario.contenders.at(-1)?.name ?? "") };
}

/** Each library once; its name is the part before a comma. */
function versionsLine(versions: ReadonlyMap<Contender, string | undefined>): string {
  const known = new Map([...versions].map(([{ name }, version]) => [name.replace(/,.*/, ""), version]));
  const sha = commit();
  return [...known]
    .filter(([, version]) => version !== undefined)
    .map(([name, version]) => `${name} ${version}${name === "Bullrush" && sha !== undefined ? ` (${sha})` : ""}`)
    .join(", ");
}

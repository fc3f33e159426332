import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Contender } from "../contenders/contender.js";
import type { Scenario } from "./scenario.js";

export const usage = `Usage: pnpm bench [options]

  --scenario <names>    only these, separated by commas; the first words of a name stand for all that begin so
  --contender <names>   only these, separated by commas
  --rounds <n>          runs of each contender (default: 5)
  --tasks <n>           tasks in each run (default: each scenario's own)
  --quick               everything tiny, to see that it works; the figures mean nothing
  --json                print one JSON document instead of tables
  --from <file>         measure nothing, and show what such a document says
  --plot <file>         write the ratios as an SVG
  --report <file>       write the figures into a page, where it has marks for them
  --profile <folder>    leave CPU profiles of the measured processes and the workers there
  --help`;

/** The parsed command line. */
export interface Options {
  /** The chosen scenarios, with the chosen contenders. */
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  /** Number of tasks; each scenario's own number when absent. */
  readonly tasks?: number;
  readonly quick: boolean;
  readonly json: boolean;
  readonly from?: string;
  readonly plot?: string;
  readonly report?: string;
  readonly profile?: string;
  readonly help: boolean;
}

/** Parses the command line. Throws a `UsageError`. */
export function readOptions(args: readonly string[], catalogue: readonly Scenario[]): Options {
  const { scenario, contender, rounds, tasks, quick, json, help, ...paths } = parsed(args);
  const scenarios = scenario === undefined ? catalogue : scenario.split(",").flatMap((name) => namedScenarios(name, catalogue));
  return {
    scenarios: contender === undefined ? scenarios : withContenders(contender.split(","), scenarios),
    rounds: count(rounds, "--rounds"),
    ...(tasks !== undefined && { tasks: count(tasks, "--tasks") }),
    quick,
    json,
    help,
    ...Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, resolve(path)])),
  };
}

export class UsageError extends Error {}

/** Whether `name` selects `scenario`: it is the name, or the first words of it. */
export function stands(name: string, scenario: string): boolean {
  return scenario === name || scenario.startsWith(`${name}-`);
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: args.filter((argument) => argument !== "--"),
      options: {
        scenario: { type: "string" },
        contender: { type: "string" },
        rounds: { type: "string", default: "5" },
        tasks: { type: "string" },
        quick: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        from: { type: "string" },
        plot: { type: "string" },
        report: { type: "string" },
        profile: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function namedScenarios(name: string, catalogue: readonly Scenario[]): readonly Scenario[] {
  const scenarios = catalogue.filter((scenario) => stands(name, scenario.name));
  if (scenarios.length > 0) return scenarios;
  throw new UsageError(`no scenario "${name}" (there are: ${catalogue.map(({ name }) => name).join(", ")})`);
}

function withContenders(ids: readonly string[], scenarios: readonly Scenario[]): readonly Scenario[] {
  const all = contendersOf(scenarios);
  const unknown = ids.find((id) => !all.some((contender) => contender.id === id));
  if (unknown !== undefined) throw new UsageError(`no contender "${unknown}" (there are: ${all.map(({ id }) => id).join(", ")})`);
  return scenarios
    .map((scenario) => ({ ...scenario, contenders: scenario.contenders.filter(({ id }) => ids.includes(id)) }))
    .filter(({ contenders }) => contenders.length > 0);
}

/** Each contender once. */
export function contendersOf(scenarios: readonly Scenario[]): readonly Contender[] {
  return [...new Set(scenarios.flatMap(({ contenders }) => contenders))];
}

function count(text: string, option: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`${option} is "${text}"; expected a whole number from 1`);
  return Number(text);
}

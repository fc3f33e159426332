import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Scenario } from "./scenario.js";

export const usage = `Usage: pnpm bench [options]

  --scenario <names>   only these, separated by commas
  --rounds <n>         runs of each contender (default: 5)
  --tasks <n>          tasks in each run (default: each scenario's own)
  --json               print one JSON document instead of tables
  --profile <folder>   leave CPU profiles of the measured processes and the workers there
  --help`;

/** What the command line asks for. */
export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  /** Each scenario's own number when absent. */
  readonly tasks?: number;
  readonly json: boolean;
  readonly profile?: string;
  readonly help: boolean;
}

/** Throws a `UsageError` for what does not fit. */
export function readOptions(args: readonly string[], catalogue: readonly Scenario[]): Options {
  const { scenario, rounds, tasks, json, profile, help } = parsed(args);
  return {
    scenarios: scenario === undefined ? catalogue : scenario.split(",").map((name) => find(name, catalogue)),
    rounds: count(rounds, "--rounds"),
    ...(tasks !== undefined && { tasks: count(tasks, "--tasks") }),
    json,
    ...(profile !== undefined && { profile: resolve(profile) }),
    help,
  };
}

export class UsageError extends Error {}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: args.filter((argument) => argument !== "--"),
      options: {
        scenario: { type: "string" },
        rounds: { type: "string", default: "5" },
        tasks: { type: "string" },
        json: { type: "boolean", default: false },
        profile: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function find(name: string, catalogue: readonly Scenario[]): Scenario {
  const scenario = catalogue.find((scenario) => scenario.name === name);
  if (scenario !== undefined) return scenario;
  throw new UsageError(`no scenario "${name}" (there are: ${catalogue.map(({ name }) => name).join(", ")})`);
}

function count(text: string, option: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`${option} is "${text}"; expected a whole number from 1`);
  return Number(text);
}

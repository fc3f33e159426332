import { packageVersion, parseCommand, runCommand } from "@bullrush/program/command";
import { Command } from "commander";
import { subcommands, type Subcommand } from "./subcommands.js";

/**
 * The command `bullrush`: runs the subcommand that `argv` names, or prints help or the version, and
 * ends the process.
 */
export async function runBullrush(argv: readonly string[]): Promise<void> {
  const [node = "", script = "", first = "--help", ...rest] = argv;
  const [name, args] = first === "help" && rest[0] !== undefined ? [rest[0], ["--help"]] : [first, rest];
  const subcommand = subcommands.find((one) => one.name === name);
  if (subcommand === undefined) return runCommand("bullrush", async () => explain([node, script, name, ...args]));
  const run = await subcommand.load();
  await run([node, script, ...args], `bullrush ${name}`);
}

/** Prints help or the version, as `argv` asks. Throws `COMMAND_USAGE` for anything else. */
function explain(argv: readonly string[]): number {
  const command = new Command("bullrush")
    .description("Runs the parts of a Bullrush system.")
    .version(packageVersion(import.meta.url), "-V, --version");
  for (const subcommand of subcommands) declare(command, subcommand);
  parseCommand(command, argv, "COMMAND_USAGE");
  return 0;
}

function declare(command: Command, { name, description }: Subcommand): void {
  command.command(name).description(description).usage("[options]");
}

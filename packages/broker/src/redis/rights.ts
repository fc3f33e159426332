import type { Redis } from "ioredis";
import type { Refusal } from "../errors/refusal-code.js";
import { isDenied, refusalIn, refusalOf } from "./refusal.js";

/**
 * `reply` with the name of the command that was refused in the script with the text `lua`. Before
 * 7.2 Redis does not name it, but says the line. Unchanged if no command was refused, if it is
 * named, or if that line runs no command by name.
 */
export function namingCommand(reply: string, lua: string): string {
  const { code, command, line } = refusalIn(reply);
  if (code !== "command-denied" || command !== undefined || line === undefined) return reply;
  const commands = commandsIn(lua.split("\n")[line - 1] ?? "");
  return commands.length === 0 ? reply : deniedCommand(commands.join(" or ")).reason;
}

/**
 * `refusal` with the name of its command, also if the script with the text `lua` caught the error,
 * which has lost its line then: asks Redis which of the script's commands the user may not run.
 * Unchanged if the user may not ask that.
 */
export async function askingForCommand(refusal: Refusal, lua: string, client: Redis): Promise<Refusal> {
  if (refusal.code !== "command-denied" || refusal.command !== undefined) return refusal;
  try {
    const user = String(await client.call("ACL", "WHOAMI"));
    const missing = await Promise.all(commandsIn(lua).map(async (command) => ((await mayRun(client, user, command)) ? [] : [command])));
    return missing.flat().length === 0 ? refusal : deniedCommand(missing.flat().join(" or "));
  } catch {
    return refusal;
  }
}

/**
 * Whether `user` may run `command`, as far as Redis tells. Redis does not check a command with too
 * few or too many arguments, so several numbers of them are tried.
 */
async function mayRun(client: Redis, user: string, command: string): Promise<boolean> {
  const tries = [["k"], ["k", "k"], ["k", "k", "k"], ["k", "k", "k", "k"]];
  const answers = await Promise.all(tries.map((args) => client.call("ACL", "DRYRUN", user, command, ...args).catch(unlessDenied)));
  return !answers.some((answer) => typeof answer === "string" && refusalIn(answer).code === "command-denied");
}

function unlessDenied(error: unknown): undefined {
  if (isDenied(refusalOf(error))) throw error;
}

/** The names of the commands in the text of a script, in lower case. */
export function commandsIn(lua: string): readonly string[] {
  return [
    ...new Set(Array.from(lua.matchAll(/(?:call|ask|onCounts)\(\s*["']([A-Za-z]+)["']/g), ([, command = ""]) => command.toLowerCase())),
  ];
}

/** Most commands that a refusal names, so that it is no longer than a reply. */
const maxNamed = 12;

/** What Redis would refuse if a script ran `commands`. */
export function missingRights(commands: readonly string[]): Refusal {
  return deniedCommand(commands.slice(0, maxNamed).join(", "));
}

function deniedCommand(command: string): Refusal {
  return { code: "command-denied", reason: `NOPERM no permissions to run the '${command}' command in a script`, command };
}

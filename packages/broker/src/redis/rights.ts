import type { Redis } from "ioredis";

/**
 * Whether Redis says in `reply` that its user may not do something: run a command, or use a key or a channel. Of a script each release says it in words of its
 * own, and some without a code.
 */
export function saysDenied(reply: string): boolean {
  return /^(?:ERR )?-?NOPERM\b|The user executing the script can't /.test(reply);
}

/** Name of the command that Redis refused with `reply`, in lower case. `undefined` if it was refused for a key or a channel, or the reply does not name it. */
export function deniedCommand(reply: string): string | undefined {
  return /'([^']+)' command/.exec(reply)?.[1]?.toLowerCase();
}

/**
 * `reply` with the name of the command that was refused in the script with the text `lua`. Before 7.2 Redis does not name it, but tells the line. As it stands if it
 * is about something else, or that line runs no command by name.
 */
export function namingCommand(reply: string, lua: string): string {
  if (!reply.includes("can't run this command")) return reply;
  const [, line = ""] = /@user_script: ?(\d+)/.exec(reply) ?? [];
  return naming(reply, commandsIn(lua.split("\n")[Number(line) - 1] ?? ""));
}

/**
 * The same for an error that the script caught, which has lost its line: asks Redis which of the script's commands the user may not run. As it stands if the user may not ask
 * that either.
 */
export async function askingForCommand(reply: string, lua: string, client: Redis): Promise<string> {
  if (!reply.includes("can't run this command")) return reply;
  try {
    const user = String(await client.call("ACL", "WHOAMI"));
    const missing = await Promise.all(commandsIn(lua).map(async (command) => ((await mayRun(client, user, command)) ? [] : [command])));
    return naming(reply, missing.flat());
  } catch {
    return reply;
  }
}

/** Whether `user` may run `command`, as far as Redis tells. It does not look at one with too few or too many arguments, so several numbers of them are tried. */
async function mayRun(client: Redis, user: string, command: string): Promise<boolean> {
  const tries = [["k"], ["k", "k"], ["k", "k", "k"], ["k", "k", "k", "k"]];
  const answers = await Promise.all(tries.map((args) => client.call("ACL", "DRYRUN", user, command, ...args).catch(String)));
  return !answers.some((answer) => /no permissions to run the/.test(String(answer)));
}

/** The names of the commands that stand in the text of a script. */
export function commandsIn(lua: string): readonly string[] {
  return [
    ...new Set(Array.from(lua.matchAll(/(?:call|ask|onCounts)\(\s*["']([A-Za-z]+)["']/g), ([, command = ""]) => command.toLowerCase())),
  ];
}

/** What Redis would say of `commands`, as far as a reply can be long. */
export function saysMissing(commands: readonly string[]): string {
  const shown = commands.length <= 12 ? commands : commands.slice(0, 12);
  return `NOPERM no permissions to run the '${shown.join(", ")}' command in a script`;
}

function naming(reply: string, commands: readonly string[]): string {
  return commands.length === 0 ? reply : `NOPERM no permissions to run the '${commands.join(" or ")}' command in a script`;
}

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";

const page = new URL("../../docs/guide/security.md", import.meta.url);

/** What a rule of the page is for. */
export type Part = "results" | "queues";

export interface Rule {
  readonly user: string;
  readonly password: string;
  readonly part: Part;
  /** The arguments of `ACL`. */
  readonly args: readonly string[];
}

/**
 * The rules of the page, as a shell would give them to `redis-cli`, for the prefix `prefix` and the
 * queue `queue` instead of those of the page.
 */
export function rulesOf(prefix: string, queue: string): readonly Rule[] {
  const text = readFileSync(page, "utf8");
  return Array.from(text.matchAll(/^```sh (results|queues)\n([^]*?)^```$/gm), ([, part, command = ""]) => {
    const [, ...args] = wordsOf(command.replaceAll("\\\n", " "));
    const password = args.find((word) => word.startsWith(">"));
    if (args[0] !== "ACL" || args[1] !== "SETUSER" || password === undefined) throw new Error(`no user with a password: ${command}`);
    const own = args.slice(1).map((word) => word.replace(/\bshop\b/, prefix).replace(/\bemails\b/, queue));
    return { user: args[2] ?? "", password: password.slice(1), part: part as Part, args: own };
  });
}

/** The words of a command, as a shell makes them of it. */
function wordsOf(command: string): readonly string[] {
  return execFileSync("sh", ["-ec", `printf '%s\\0' ${command}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);
}

/** What a Redis has refused. */
export interface Denials {
  /** `user: command object`, of `ACL LOG`. */
  readonly logged: readonly string[];
  /** How many calls it refused to run, by its own count. */
  readonly counted: number;
}

export async function denialsOf(admin: Redis): Promise<Denials> {
  const entries = (await admin.call("ACL", "LOG")) as readonly (readonly unknown[])[];
  const [stats, errors] = [await admin.info("commandstats"), await admin.info("errorstats")];
  const rejected = Array.from(stats.matchAll(/rejected_calls=(\d+)/g), ([, count]) => Number(count));
  const denied = Array.from(errors.matchAll(/errorstat_NOPERM:count=(\d+)/g), ([, count]) => Number(count));
  return { logged: entries.map(lineOf), counted: [...rejected, ...denied].reduce((all, one) => all + one, 0) };
}

function lineOf(entry: readonly unknown[]): string {
  const field = (name: string) => String(entry[entry.indexOf(name) + 1]);
  return `${field("username")}: ${field("reason")} ${field("object")} (${field("context")})`;
}

/** Forgets what was refused. */
export async function forgetDenials(admin: Redis): Promise<void> {
  await admin.call("ACL", "LOG", "RESET");
  await admin.call("CONFIG", "RESETSTAT");
}

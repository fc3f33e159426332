import { BullrushError } from "../errors/error.js";
import { ownFaultIn } from "../errors/refusal.js";
import type { Refusal, RefusalCode } from "../errors/refusal-code.js";
import { reasonOf, shownReply } from "./reason.js";

/** A refusal of Redis. */
export interface RedisRefusal extends Refusal {
  /** Line of the script that ran the refused command, from 1. */
  readonly line?: number;
}

/** The codes with which an error of Redis begins. */
const codes: ReadonlyMap<string, RefusalCode> = new Map([
  ["WRONGPASS", "login-denied"],
  ["NOAUTH", "login-denied"],
  ["OOM", "out-of-memory"],
  ["MISCONF", "disk-failed"],
  ["READONLY", "read-only"],
  ["LOADING", "loading"],
  ["BUSY", "busy"],
  ["MASTERDOWN", "primary-down"],
  ["NOREPLICAS", "too-few-replicas"],
  ["CLUSTERDOWN", "cluster-unready"],
  ["TRYAGAIN", "cluster-unready"],
  ["UNBLOCKED", "unblocked"],
  ["WRONGTYPE", "wrong-type"],
  ["NOSCRIPT", "unknown-script"],
  // Of our own scripts.
  ["LAYOUT", "other-layout"],
]);

/** What errors without a code of their own begin with. */
const texts: readonly (readonly [RegExp, RefusalCode])[] = [
  [/^(?:invalid password|AUTH |Client sent AUTH)/, "login-denied"],
  [/^unknown (?:redis )?command/i, "unknown-command"],
  [/^(?:DB index is out of range|invalid DB index)/, "unknown-database"],
  [/^command not allowed when used memory/, "out-of-memory"],
];

/**
 * How errors say that a user lacks a right. Before 7.2 Redis says so of a script without a code.
 */
const denied = /^(?:(?:this user|user \S+) has )?no permissions |^The user executing the script (?:can't|is lacking) /i;

/** What came between a script and the error of a command in it, before Redis 7. */
const wrapping = /^(?:Error running script[^:]*: )?(?:@?user_script: ?\d+: )*-?/;

/** What Redis refused with `reply`, an error as a client or a script got it. */
export function refusalIn(reply: string): RedisRefusal {
  const [text = ""] = reply.split("\n", 1);
  const [, line] = /@user_script: ?(\d+)/.exec(text) ?? [];
  return { ...kindOf(text), reason: shownReply(text), ...(line !== undefined && { line: Number(line) }) };
}

/** Why a call failed, by what ioredis threw. */
export function refusalOf(error: unknown): RedisRefusal {
  // Too many arguments, say: it fails the same way again.
  if (error instanceof RangeError || error instanceof TypeError) return { code: "invalid-call", reason: reasonOf(error) };
  if (error instanceof Error && error.name === "ReplyError") return { ...refusalIn(error.message), reason: reasonOf(error) };
  return { code: "unreachable", reason: reasonOf(error) };
}

/** Whether the call that threw `error` met a key that holds something of another kind. */
export function isWrongType(error: unknown): boolean {
  return (error instanceof BullrushError ? ownFaultIn(error) : refusalOf(error))?.code === "wrong-type";
}

/** Whether Redis answered, with an error. */
export function isAnswer({ code }: Pick<Refusal, "code">): boolean {
  return code !== "unreachable" && code !== "invalid-call";
}

/** Whether a user may not log in, or lacks a right. */
export function isDenied({ code }: Pick<Refusal, "code">): boolean {
  return code === "login-denied" || isRightMissing({ code });
}

/** Whether a user who is logged in lacks a right. */
export function isRightMissing({ code }: Pick<Refusal, "code">): boolean {
  return code === "command-denied" || code === "key-denied" || code === "channel-denied";
}

/** Whether the same call may succeed a little later. */
export function isTransient({ code }: Pick<Refusal, "code">): boolean {
  switch (code) {
    case "read-only":
    case "loading":
    case "busy":
    case "primary-down":
    case "too-few-replicas":
    case "cluster-unready":
    case "unblocked":
    case "unreachable":
      return true;
    case "login-denied":
    case "command-denied":
    case "key-denied":
    case "channel-denied":
    case "out-of-memory":
    case "disk-failed":
    case "wrong-type":
    case "unknown-command":
    case "unknown-script":
    case "unknown-database":
    case "invalid-call":
    case "other-layout":
    case "other":
      return false;
  }
}

function kindOf(text: string): Omit<Refusal, "reason"> {
  const inner = unwrapped(text);
  const [, word = "", rest = inner] = /^([A-Z]+) (.*)$/.exec(inner) ?? [];
  if (word === "NOPERM") return denialIn(rest);
  const code = codes.get(word);
  if (code !== undefined) return { code };
  if (denied.test(inner)) return denialIn(inner);
  return { code: texts.find(([pattern]) => pattern.test(inner))?.[1] ?? "other" };
}

/** The error of the command itself. */
function unwrapped(text: string): string {
  const bare = text.replace(/^ERR /, "").replace(wrapping, "");
  return bare.replace(/^ERR /, "");
}

/** What `text` says that a user may not do. */
function denialIn(text: string): Omit<Refusal, "reason"> {
  const [, user] = /\bUser (\S+) has no permissions/.exec(text) ?? [];
  const who = user === undefined ? {} : { user };
  const [, key, thing] = / access the '(.*)' (key|channel)\b/.exec(text) ?? [];
  if (thing === "key") return { code: "key-denied", key: key as string, ...who };
  if (/ (?:access|publish to) .*\bchannels?\b/.test(text)) return { code: "channel-denied", ...who };
  if (/ access .*\bkeys?\b/.test(text)) return { code: "key-denied", ...who };
  const [, command] = /'([^']+)' command/.exec(text) ?? [];
  return { code: "command-denied", ...(command !== undefined && { command: command.toLowerCase() }), ...who };
}

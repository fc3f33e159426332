import { describe, expect, test } from "vitest";
import { BullrushError } from "../../src/errors/error.js";
import { isOwnFault, isRefused, ownFaultIn } from "../../src/errors/refusal.js";
import type { Refusal } from "../../src/errors/refusal-code.js";
import type { Delivery } from "../../src/ports/delivery.js";
import { isFaultOf } from "../../src/ports/is-fault-of.js";
import { isAnswer, isDenied, isRightMissing, isTransient, isWrongType, refusalIn, refusalOf } from "../../src/redis/refusal.js";

/** An error as ioredis makes it of an answer. */
function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError", command: { name: "set", args: ["key", "s3cret"] } });
}

/** An error of a command in a script, as Redis 7 and Valkey return it. */
const inScript = (text: string) => `${text} script: 12ab, on @user_script:12.`;

/** The same as Redis 6 returns it, and as a script of Redis 6 catches it. */
const inOldScript = (text: string) => `ERR Error running script (call to f_12ab): @user_script:12: ${text}`;
const caughtInOldScript = (text: string) => `@user_script: 12: ${text}`;

const used = "used memory > 'maxmemory'";
const unsaved = "Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.";
const replica = "You can't write against a read only replica.";
const wrongKind = "Operation against a key holding the wrong kind of value";
const cannotRun = "The user executing the script can't run this command or subcommand";
const cannotAccess = "The user executing the script can't access at least one of the keys mentioned in the command arguments";
const cannotPublish = "The user executing the script can't publish to the channel mentioned in the command";

type Expected = Omit<Refusal, "reason">;

const answers: readonly (readonly [string, Expected])[] = [
  ["WRONGPASS invalid username-password pair or user is disabled.", { code: "login-denied" }],
  ["NOAUTH Authentication required.", { code: "login-denied" }],
  ["NOAUTH HELLO must be called with the client already authenticated", { code: "login-denied" }],
  ["ERR invalid password", { code: "login-denied" }],
  ["ERR AUTH <password> called without any password configured for the default user.", { code: "login-denied" }],
  ["ERR Client sent AUTH, but no password is set", { code: "login-denied" }],

  ["NOPERM this user has no permissions to run the 'evalsha' command or its subcommand", { code: "command-denied", command: "evalsha" }],
  ["NOPERM User ann has no permissions to run the 'EVALSHA' command", { code: "command-denied", command: "evalsha", user: "ann" }],
  ["NOPERM User ann has no permissions to run the 'acl|dryrun' command", { code: "command-denied", command: "acl|dryrun", user: "ann" }],
  ["This user has no permissions to run the 'get' command", { code: "command-denied", command: "get" }],
  ["User ann has no permissions to run the 'get' command", { code: "command-denied", command: "get", user: "ann" }],
  ["NOPERM no permissions to run the 'zadd or xadd' command in a script", { code: "command-denied", command: "zadd or xadd" }],
  [
    inScript("NOPERM ACL failure in script: User ann has no permissions to run the 'lpush' command"),
    { code: "command-denied", command: "lpush", user: "ann" },
  ],
  [inScript(`ERR ${cannotRun}`), { code: "command-denied" }],
  [inScript("ERR The user executing the script is lacking the permissions for the command"), { code: "command-denied" }],
  [inOldScript(`-NOPERM ${cannotRun}`), { code: "command-denied" }],
  [caughtInOldScript(`-NOPERM ${cannotRun}`), { code: "command-denied" }],

  ["NOPERM this user has no permissions to access one of the keys used as arguments", { code: "key-denied" }],
  ["NOPERM No permissions to access a key", { code: "key-denied" }],
  ["NOPERM User ann has no permissions to access the 'other:q:1' key", { code: "key-denied", key: "other:q:1", user: "ann" }],
  [inScript("NOPERM ACL failure in script: No permissions to access a key"), { code: "key-denied" }],
  [inScript(`ERR ${cannotAccess}`), { code: "key-denied" }],
  [inOldScript(`-NOPERM ${cannotAccess}`), { code: "key-denied" }],

  ["NOPERM this user has no permissions to access one of the channels used as arguments", { code: "channel-denied" }],
  ["NOPERM No permissions to access a channel", { code: "channel-denied" }],
  ["NOPERM User ann has no permissions to access the 'a key' channel", { code: "channel-denied", user: "ann" }],
  [inScript(`ERR ${cannotPublish}`), { code: "channel-denied" }],
  [inOldScript(`-NOPERM ${cannotPublish}`), { code: "channel-denied" }],

  [`OOM command not allowed when ${used}.`, { code: "out-of-memory" }],
  [inScript(`OOM command not allowed when ${used}.`), { code: "out-of-memory" }],
  [`OOM allow-oom flag is not set on the script, can not run it when ${used}`, { code: "out-of-memory" }],
  ["ERR Error running script: @user_script: 1: OOM command not allowed", { code: "out-of-memory" }],
  [inOldScript(`-OOM command not allowed when ${used}.`), { code: "out-of-memory" }],
  [caughtInOldScript(`-OOM command not allowed when ${used}.`), { code: "out-of-memory" }],

  [`MISCONF ${unsaved}`, { code: "disk-failed" }],
  ["MISCONF Errors writing to the AOF file: No space left on device", { code: "disk-failed" }],
  [inScript(`MISCONF ${unsaved}`), { code: "disk-failed" }],

  [`READONLY ${replica}`, { code: "read-only" }],
  [inScript(`READONLY ${replica}`), { code: "read-only" }],
  ["READONLY Can not run script with write flag on readonly replica.", { code: "read-only" }],
  [`ERR Error running script: READONLY ${replica}`, { code: "read-only" }],
  [caughtInOldScript(`-READONLY ${replica}`), { code: "read-only" }],

  ["LOADING Redis is loading the dataset in memory", { code: "loading" }],
  ["LOADING Valkey is loading the dataset in memory", { code: "loading" }],
  ["BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", { code: "busy" }],
  ["BUSY Valkey is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", { code: "busy" }],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", { code: "primary-down" }],
  ["NOREPLICAS Not enough good replicas to write.", { code: "too-few-replicas" }],
  ["CLUSTERDOWN Hash slot not served", { code: "cluster-unready" }],
  ["TRYAGAIN Multiple keys request during rehashing of slot", { code: "cluster-unready" }],
  ["UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", { code: "unblocked" }],
  ["UNBLOCKED the stream key no longer exists", { code: "unblocked" }],

  [`WRONGTYPE ${wrongKind}`, { code: "wrong-type" }],
  [inScript(`WRONGTYPE ${wrongKind}`), { code: "wrong-type" }],
  [inOldScript(`WRONGTYPE ${wrongKind}`), { code: "wrong-type" }],
  [caughtInOldScript(`WRONGTYPE ${wrongKind}`), { code: "wrong-type" }],
  ["ERR unknown command 'NOPERM', with args beginning with: 'OOM' ", { code: "unknown-command" }],
  [inScript("ERR Unknown Redis command called from script"), { code: "unknown-command" }],
  [inScript("ERR Unknown command called from script"), { code: "unknown-command" }],
  [caughtInOldScript("Unknown Redis command called from Lua script"), { code: "unknown-command" }],
  ["NOSCRIPT No matching script. Please use EVAL.", { code: "unknown-script" }],
  ["ERR DB index is out of range", { code: "unknown-database" }],
  ["ERR invalid DB index", { code: "unknown-database" }],

  ["ERR syntax error", { code: "other" }],
  [inScript("ERR value is not an integer or out of range"), { code: "other" }],
  [inScript("ERR user_script:7: attempt to index a nil value"), { code: "other" }],
  ["ERR value of OOM READONLY NOPERM is no number", { code: "other" }],
  ["EXECABORT Transaction discarded because of previous errors.", { code: "other" }],
  ["", { code: "other" }],
];

describe("an error that Redis or Valkey returns", () => {
  test.each(answers)("%s: it has one code, and what it names", (text, expected) => {
    const { reason, line: _line, ...kind } = refusalIn(text);
    expect(kind).toEqual(expected);
    expect(refusalOf(replyError(text))).toMatchObject(expected);
    expect(reason).not.toMatch(/script: 12ab|args beginning/);
  });

  test.each([inScript("ERR x"), inOldScript("x"), caughtInOldScript("x")])("%s: it names the line of the script", (text) => {
    expect(refusalIn(text).line).toBe(12);
  });

  test("outside of a script: it names no line", () => {
    expect(refusalIn("ERR syntax error").line).toBeUndefined();
  });
});

describe("an error that ioredis throws", () => {
  test.each([
    new Error("Connection is closed."),
    new Error("connect ECONNREFUSED 127.0.0.1:6379"),
    new Error("Socket timeout. Expecting data, but didn't receive any in 5000ms."),
    new Error("Stream isn't writeable and enableOfflineQueue options is false"),
    new Error("All sentinels are unreachable. Retrying from scratch after 10ms."),
    new Error("OOM"),
    "text",
    undefined,
  ])("%s: no answer came", (error) => {
    expect(refusalOf(error).code).toBe("unreachable");
  });

  test.each([new RangeError("Invalid string length"), new TypeError("Invalid argument")])("%s: the call could not be sent", (error) => {
    expect(refusalOf(error).code).toBe("invalid-call");
  });
});

describe("what follows from a code", () => {
  const codes = [...new Set(answers.map(([, { code }]) => code)), "unreachable", "invalid-call"] as const;
  const those = (holds: (refusal: { readonly code: Refusal["code"] }) => boolean) => codes.filter((code) => holds({ code })).toSorted();

  test("codes that pass: the same call may succeed later", () => {
    expect(those(isTransient)).toEqual(
      ["busy", "cluster-unready", "loading", "primary-down", "read-only", "too-few-replicas", "unblocked", "unreachable"].toSorted(),
    );
  });

  test("codes of what was sent: the same call fails again", () => {
    expect(those(isOwnFault)).toEqual(
      ["invalid-call", "other", "unknown-command", "unknown-database", "unknown-script", "wrong-type"].toSorted(),
    );
  });

  test("codes of users and their rights", () => {
    expect(those(isRightMissing)).toEqual(["channel-denied", "command-denied", "key-denied"]);
    expect(those(isDenied)).toEqual(["channel-denied", "command-denied", "key-denied", "login-denied"]);
  });

  test("codes of no answer", () => {
    expect(those((refusal) => !isAnswer(refusal))).toEqual(["invalid-call", "unreachable"]);
  });
});

describe("a failed call", () => {
  const failed = (refusal?: Refusal["code"]) =>
    new BullrushError("BROKER_UNAVAILABLE", {
      url: "redis://h",
      action: "x",
      deadline: 1,
      reason: "in words",
      ...(refusal && { refusal }),
    });

  test("that was refused because of what was sent: it says why", () => {
    expect(ownFaultIn(failed("wrong-type"))).toEqual({ code: "wrong-type", reason: "in words" });
    expect(isWrongType(failed("wrong-type"))).toBe(true);
    expect(isWrongType(replyError(`WRONGTYPE ${wrongKind}`))).toBe(true);
  });

  test.each(["read-only", "out-of-memory", "key-denied", undefined] as const)("with %s: what was sent is not at fault", (code) => {
    expect(isRefused(failed(code))).toBe(false);
    expect(isWrongType(failed(code))).toBe(false);
  });

  test("with an error of another kind: what was sent is at fault", () => {
    expect(ownFaultIn(new TypeError("no"))).toEqual({ code: "other", reason: "no" });
    expect(isRefused(new BullrushError("BROKER_FULL", { url: "redis://h" }))).toBe(false);
    expect(isRefused(new BullrushError("NO_CURRENT_TASK"))).toBe(false);
  });
});

describe("a refused settlement", () => {
  const of = (type: Delivery["content"]["type"]) => ({ content: { type } }) as Delivery;

  test("of a plain job, for a key that its worker may not use: the job is at fault", () => {
    expect(isFaultOf(of("external"), { code: "key-denied" })).toBe(true);
    expect(isFaultOf(of("external"), { code: "command-denied" })).toBe(false);
  });

  test("of a message: a missing right is not its fault, a key of another kind is", () => {
    expect(isFaultOf(of("message"), { code: "key-denied" })).toBe(false);
    expect(isFaultOf(of("message"), { code: "wrong-type" })).toBe(true);
  });
});

import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { isOutOfMemory, isPassing, isRefusal, isReply, reasonOf } from "../../src/redis/reason.js";

const secret = "canary-5ecret";

/** An error as ioredis makes it of Redis's answer. */
function reply(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError", command: { name: "set", args: ["key", secret] } });
}

describe("what Redis answers", () => {
  let client: Redis;

  beforeAll(() => {
    client = new Redis(inject("redisUrl"), { replyMapping: "legacy", maxRetriesPerRequest: null });
  });

  afterAll(() => client.disconnect());

  const answer = (...command: [string, ...string[]]) =>
    client.call(...command).then(
      () => {
        throw new Error("it succeeded");
      },
      (error: unknown) => error,
    );

  test.each<[[string, ...string[]], string]>([
    [["NOSUCHCOMMAND", secret], "ERR unknown command 'NOSUCHCOMMAND'"],
    [["SET", "key", secret, "PX", "0"], "ERR invalid expire time in 'set' command"],
    [["EVAL", `return redis.call('SET', KEYS[1], '${secret}', 'NO')`, "1", "key"], "ERR syntax error"],
    [["AUTH", "ann", secret], "WRONGPASS invalid username-password pair or user is disabled."],
  ])("is told without what it was asked: %j", async (command, reason) => {
    const error = await answer(...command);
    expect(isReply(error)).toBe(true);
    expect(reasonOf(error)).toBe(reason);
  });
});

test.each<[unknown, string]>([
  [new Error("one\ntwo"), "one"],
  [Object.assign(new Error(""), { code: "ECONNREFUSED" }), "ECONNREFUSED"],
  [Object.assign(new AggregateError([new Error(secret)], ""), { code: "ETIMEDOUT" }), "ETIMEDOUT"],
  [new TypeError(""), "TypeError"],
  [new Error("x".repeat(300)), "x".repeat(200)],
  ["text", "unknown error"],
  [undefined, "unknown error"],
])("the reason of %o", (error, reason) => {
  expect(reasonOf(error)).toBe(reason);
});

describe("of the answers", () => {
  test.each([
    "OOM command not allowed when used memory > 'maxmemory'.",
    "ERR Error running script: @user_script: 1: OOM command not allowed",
  ])("%s: memory is short", (message) => {
    expect(isOutOfMemory(reply(message))).toBe(true);
    expect(isOutOfMemory(new Error(message))).toBe(false);
    expect(isPassing(reply(message))).toBe(false);
  });

  test.each([
    "WRONGPASS invalid username-password pair or user is disabled.",
    "NOAUTH Authentication required.",
    "NOPERM this user has no permissions to run the 'evalsha' command",
    "ERR The user executing the script can't run this command or subcommand script: 12ab, on @user_script:12.",
    "ERR invalid password",
    "ERR AUTH <password> called without any password configured for the default user.",
  ])("%s: the user is refused", (message) => {
    expect(isRefusal(reply(message))).toBe(true);
    expect(isRefusal(new Error(message))).toBe(false);
    expect(isPassing(reply(message))).toBe(false);
  });

  test.each([
    "LOADING Redis is loading the dataset in memory",
    "READONLY You can't write against a read only replica.",
    "BUSY Redis is busy running a script.",
    "MASTERDOWN Link with MASTER is down",
    "UNBLOCKED the stream key no longer exists",
    "ERR Error running script: READONLY You can't write against a read only replica.",
  ])("%s: it passes", (message) => {
    expect(isPassing(reply(message))).toBe(true);
    expect(isRefusal(reply(message))).toBe(false);
  });

  test.each([
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "ERR unknown command 'x'",
    "NOSCRIPT No matching script.",
  ])("%s: it does not pass, and is neither memory nor user", (message) => {
    expect([isPassing, isOutOfMemory, isRefusal].map((is) => is(reply(message)))).toEqual([false, false, false]);
  });

  test("what is no answer passes: the connection failed", () => {
    expect(isPassing(new Error("connect ECONNREFUSED 127.0.0.1:6379"))).toBe(true);
    expect(isPassing(new Error("Connection is closed."))).toBe(true);
    expect(isReply(new Error("Connection is closed."))).toBe(false);
  });
});

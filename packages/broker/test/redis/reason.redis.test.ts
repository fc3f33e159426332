import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { reasonOf } from "../../src/redis/reason.js";
import { isAnswer, refusalOf } from "../../src/redis/refusal.js";

const secret = "canary-5ecret";

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
    expect(isAnswer(refusalOf(error))).toBe(true);
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

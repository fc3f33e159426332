import { createHash } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { newId } from "../../src/id.js";
import { loadScript, runScript, type Script } from "../../src/redis/script.js";

describe("a script", () => {
  let redis: Redis;

  beforeAll(() => {
    redis = new Redis(inject("redisUrl"), { replyMapping: "legacy", maxRetriesPerRequest: null });
  });

  afterAll(() => redis.disconnect());

  function scriptOf(lua: string): Script {
    const text = { lua, sha: createHash("sha1").update(lua).digest("hex") };
    return { ...text, quiet: text };
  }

  test("is sent when Redis does not have it, and again when Redis has forgotten it", async () => {
    const script = scriptOf(`return { KEYS[1], ARGV[1], ARGV[2], '${newId()}' }`);
    for (let round = 0; round < 2; round++) {
      expect(await redis.script("EXISTS", script.sha)).toEqual([0]);
      expect(await runScript(redis, script, ["a"], ["b", 1.5])).toEqual(["a", "b", "1.5", expect.any(String)]);
      expect(await redis.script("EXISTS", script.sha)).toEqual([1]);
      expect(await runScript(redis, script, ["a"], ["b", 2])).toEqual(["a", "b", "2", expect.any(String)]);
      if (round === 0) await redis.script("FLUSH");
    }
  });

  test("is not sent a second time because of its own errors", async () => {
    const key = `test-${newId()}`;
    const script = scriptOf(`redis.call("INCR", KEYS[1]) redis.call("EXPIRE", KEYS[1], 10) return redis.error_reply("ERR on purpose")`);
    await redis.script("LOAD", script.lua);
    await expect(runScript(redis, script, [key], [])).rejects.toThrow("ERR on purpose");
    expect(await redis.get(key)).toBe("1");
  });

  test.each(["redis/store", "redis/claim"])(
    "of the package is loaded by its path, and Redis calls it by the same hash: %s",
    async (path) => {
      const { lua, sha } = loadScript(path);
      expect(await redis.script("LOAD", lua)).toBe(sha);
    },
  );

  test("that includes what there is not is refused when it is loaded", () => {
    expect(() => loadScript("bullmq/purge")).toThrow('lua/bullmq/purge.lua includes "drain", which does not exist');
    expect(loadScript("bullmq/purge", { drain: "-- $& here" }).lua).toContain("\n-- $& here\n");
  });
});

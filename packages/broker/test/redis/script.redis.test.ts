import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { newId } from "../../src/protocol/id.js";
import { runScript, scriptAt, type LoadedScript } from "../../src/redis/script.js";
import { scriptTexts } from "../../src/redis/script-texts.js";

describe("a script", () => {
  let redis: Redis;

  beforeAll(() => {
    redis = new Redis(inject("redisUrl"), { replyMapping: "legacy", maxRetriesPerRequest: null });
  });

  afterAll(() => redis.disconnect());

  function scriptOf(lua: string) {
    const text = { lua, sha: createHash("sha1").update(lua).digest("hex") };
    const loaded: LoadedScript = { ...text, quiet: text };
    return { ...text, loaded, load: async () => loaded };
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
      const { lua, sha } = await scriptAt(path).load();
      expect(await redis.script("LOAD", lua)).toBe(sha);
    },
  );

  test("that requires what there is not is refused when it is loaded", async () => {
    await expect(scriptAt("bullmq/purge").load()).rejects.toThrow('lua/bullmq/purge.lua requires "drain", which does not exist');
    await expect(scriptAt("bullmq/none").load()).rejects.toThrow("there is no script lua/bullmq/none.lua");
    const { lua } = await scriptAt("bullmq/purge", async () => ({ drain: "-- $& here" })).load();
    expect(lua).toContain("\n-- $& here\n");
  });

  test("is put together when it is first needed, and asks for parts only if it requires one", async () => {
    let asked = 0;
    const parts = async () => ({ asked: String(++asked) });
    const own = scriptAt("bullmq/publish", parts);
    expect(own.loaded).toBe(undefined);
    expect(await own.load()).toBe(own.loaded);
    expect(asked).toBe(0);
    await expect(scriptAt("bullmq/publish-single", parts).load()).rejects.toThrow("which does not exist");
    expect(asked).toBe(1);
  });

  test("is in the module of texts as it is in its file, and nothing else is", () => {
    const folder = new URL("../../lua/", import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".lua"));
    const texts = files.map((file) => [file.slice(0, -".lua".length), readFileSync(new URL(file, folder), "utf8")]);
    expect(scriptTexts).toEqual(Object.fromEntries(texts));
  });
});

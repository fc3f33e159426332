import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { engineParts } from "../../src/bullmq/engine-parts.js";
import { scriptAt } from "../../src/redis/script.js";
import { scriptTexts } from "../../src/redis/script-texts.js";
import { globalsOf } from "./lua-globals.js";

describe("every script and every part of one", () => {
  let redis: Redis;

  beforeAll(() => {
    redis = new Redis(inject("redisUrl"), { replyMapping: "legacy", maxRetriesPerRequest: null });
  });

  afterAll(() => redis.disconnect());

  async function globalsIn(lua: string) {
    return globalsOf((await redis.callBuffer("EVAL", "return string.dump(assert(loadstring(ARGV[1])))", 0, lua)) as Buffer);
  }

  /** Those of `names` that Redis does not define. */
  async function undefinedOf(names: Iterable<string>): Promise<unknown> {
    const look = `local none = {}
for _, name in ipairs(ARGV) do
  if not pcall(assert(loadstring("return " .. name))) then none[#none + 1] = name end
end
return none`;
    return redis.eval(look, 0, ...names);
  }

  test("a global that is undefined, and one that is set: both are found, in an inner function too", async () => {
    const { read, set } = await globalsIn("local function f() return missing(1.5, true, nil) end\nredis.call('PING')\nleaked = f");
    expect([...read].toSorted()).toEqual(["missing", "redis"]);
    expect([...set]).toEqual(["leaked"]);
    expect(await undefinedOf(read)).toEqual(["missing"]);
  });

  test.each(Object.keys(scriptTexts))("%s: Redis loads it, it sets no global and reads no undefined one", async (path) => {
    const { lua, quiet } = await scriptAt(path, async () => engineParts).load();
    expect(await redis.script("LOAD", quiet.lua)).toBe(quiet.sha);
    const { read, set } = await globalsIn(lua);
    expect([...set]).toEqual([]);
    expect(await undefinedOf(read)).toEqual([]);
  });
});

import { readdirSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { engineScript } from "../../src/bullmq/engine.js";
import { redisScheduleStore } from "../../src/bullmq/schedules/schedule-store.js";
import { plainCommands, workerScripts } from "../../src/bullmq/worker-scripts.js";
import { commandsOf, harmless } from "../../src/redis/probe-rights.js";
import { stageOn } from "../ports/stage.js";
import { openBroker } from "../bullmq/broker.js";
import { redisResultBackend } from "../../src/redis/result-backend.js";
import { redisBinary, startRedis, type PrivateRedis } from "./private-redis.js";

/** What is found out otherwise: whether results may be stored along, and whether channels may be used. */
const elsewhere = ["PUBLISH", "SELECT"];

test("every command of every script can be probed without harm", async () => {
  const folder = new URL("../../lua/bullmq/", import.meta.url);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".lua"));
  const commands = await commandsOf(names.map((name) => engineScript(name.slice(0, -".lua".length))));
  expect(commands.length).toBeGreaterThan(40);
  expect(commands.filter((command) => harmless[command] === undefined)).toEqual(elsewhere);
});

describe.skipIf(redisBinary === undefined)("at the start", () => {
  let redis: PrivateRedis;

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(() => redis.stop());

  afterEach(() => redis.client.call("ACL", "DELUSER", "eve"));

  const without = (...rights: readonly string[]) =>
    redis.client.call("ACL", "SETUSER", "eve", "reset", "on", ">pw", "~*", "&*", "+@all", ...rights);
  const url = () => redis.url.replace("//", "//eve:pw@");

  /** What opening a worker's side of `feeds` gives, or rejects with. */
  async function opened(): Promise<unknown> {
    const broker = openBroker(redis.url, redisResultBackend({ location: redis.url }));
    try {
      const stage = stageOn({ ...broker, connect: () => broker.connect({ location: url() }) });
      const told = await stage
        .consume(["feeds"])
        .open()
        .catch((error: unknown) => error);
      if (!String(told).includes("command del")) expect(await redis.client.keys("*probe*")).toEqual([]);
      return told;
    } finally {
      await broker.close();
    }
  }

  test("a worker whose user may do all says nothing", async () => {
    await without();
    expect(await opened()).toEqual([]);
  });

  test.each([["acl"], []])(
    "a worker is refused whose user lacks what every message needs, with all that is missing: without %s",
    async (...more) => {
      await without("-lpush", "-ltrim", "-zrevrange", ...more.map((command) => `-${command}`));
      const error = await opened();
      expect(error).toMatchObject({ code: "REDIS_AUTH", details: { user: "eve", command: "lpush, ltrim, zrevrange" } });
      expect((error as Error).message).toContain("+lpush +ltrim +zrevrange");
    },
  );

  test("a worker is warned that starts without what only some messages need", async () => {
    await without("-zrevrange");
    expect(await opened()).toEqual([expect.stringContaining("run the command zrevrange")]);
  });

  test("a worker is refused whose user may not use its keys", async () => {
    await without("resetkeys", "~other*");
    expect(await opened()).toMatchObject({ code: "REDIS_AUTH" });
  });

  test("every command that no message can do without is refused by itself", async () => {
    const plain = await plainCommands();
    for (const command of plain) {
      await without(`-${command}`);
      expect(await opened()).toMatchObject({ code: "REDIS_AUTH", details: { command } });
    }
    expect(plain.size).toBeLessThan((await commandsOf(workerScripts())).length);
  });

  test("a beat is refused whose user lacks what it needs", async () => {
    await without("-zadd", "-hdel");
    const store = redisScheduleStore({ location: url(), prefix: "probed" });
    await expect(store.open({ allowEviction: false })).rejects.toMatchObject({ code: "REDIS_AUTH", details: { command: "hdel, zadd" } });
    await without();
    expect(await store.open({ allowEviction: false })).toEqual([]);
    await store.close();
  });
});

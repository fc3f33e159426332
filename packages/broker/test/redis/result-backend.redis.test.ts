import { inspect } from "node:util";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { newId } from "../../src/id.js";
import type { Results } from "../../src/ports/results.js";
import type { TaskRecord } from "../../src/protocol/record.js";
import { resultKey } from "../../src/redis/keys.js";
import { redisResultBackend, type RedisResultBackendOptions } from "../../src/redis/result-backend.js";
import { storeOf } from "../ports/messages.js";
import { largestNotified } from "../ports/notifications.js";
import { describeResultBackend } from "../ports/result-backend-suite.js";
import { openProxy, type Proxy } from "../../../../integration/lib/proxy.js";
import { deadPort } from "./private-redis.js";

describeResultBackend("Redis", () => redisResultBackend({ location: inject("redisUrl"), largestNotified }));

describe("the Redis result backend", () => {
  const secret = "canary-5ecret";
  let redis: Redis;
  let proxy: Proxy;
  let backends: Results[];

  beforeEach(async () => {
    redis = new Redis(inject("redisUrl"), { replyMapping: "legacy", maxRetriesPerRequest: null });
    proxy = await openProxy(inject("redisUrl"));
    backends = [];
  });

  afterEach(async () => {
    await Promise.all(backends.map((backend) => backend.close()));
    redis.disconnect();
    await proxy.close();
  });

  function open(options: Partial<RedisResultBackendOptions> = {}): Results {
    const backend = redisResultBackend({ location: proxy.url, ...options });
    backends.push(backend);
    return backend;
  }

  test("keeps a record for exactly as long as it is told", async () => {
    const [stored, replaced, claimed] = [newId(), newId(), newId()];
    const backend = open();
    await backend.store([storeOf(stored, {}, { expires: 90_000 }), storeOf(replaced, { state: "STARTED" }, { expires: 1000 })]);
    await backend.store([storeOf(replaced, {}, { expires: 50_000 })]);
    await backend.claim([{ id: claimed, delivery: 2, expires: 70_000, worker: "w" }]);
    for (const [id, expires] of [[stored, 90_000] as const, [replaced, 50_000] as const, [claimed, 70_000] as const]) {
      const left = await redis.pttl(resultKey(id));
      expect(left).toBeLessThanOrEqual(expires);
      expect(left).toBeGreaterThan(expires - 10_000);
    }
    await backend.forget([stored, replaced, claimed]);
    expect(await redis.exists(resultKey(stored), resultKey(replaced), resultKey(claimed))).toBe(0);
  });

  test("tells what is no record from what is, and does not quote it", async () => {
    const [broken, sound, ended] = [newId(), newId(), newId()];
    const backend = open();
    await redis.set(resultKey(broken), `{"state":"STARTED","secret":"${secret}"}`, "PX", 10_000);
    await redis.set(resultKey(ended), `{"state":"SUCCESS","delivery":1,"result":{"__proto__":"${secret}"}}`, "PX", 10_000);
    await backend.store([storeOf(sound, {}, { expires: 10_000 })]);
    const records = [
      ...(await backend.read([broken, sound, ended])),
      ...(await backend.claim([{ id: ended, delivery: 2, expires: 10_000, worker: "w" }])),
    ];
    const unreadable = { state: "FAILURE", failure: { code: "DECODE_ERROR" } };
    expect(records).toMatchObject([unreadable, { state: "SUCCESS" }, unreadable, unreadable]);
    expect(inspect(records, { depth: 10, showHidden: true })).not.toContain(secret);
  });

  test("says by its deadline that Redis cannot be reached, and names it without the password", async () => {
    const port = deadPort;
    const backend = open({ location: `redis://ann:${secret}@127.0.0.1:${port}/2`, deadline: 400 });
    const errors = await Promise.all(
      [backend.open(), backend.read([newId()]), backend.store([storeOf(newId())]), backend.subscribe(() => undefined)].map((call) =>
        call.catch((error: unknown) => error),
      ),
    );
    for (const error of errors) {
      expect(error).toMatchObject({ code: "RESULT_BACKEND_UNAVAILABLE" });
      expect((error as Error).message).toContain(`redis://127.0.0.1:${port}/2`);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
    }
  });

  test("stores once when the reply was lost", async () => {
    const id = newId();
    const backend = open();
    await backend.store([storeOf(newId(), {}, { expires: 100 })]);
    const lost = proxy.loseReply(id);
    const stored = backend.store([storeOf(id, { resultText: "1" })]);
    await lost;
    proxy.reset();
    // By then its own record is there already.
    expect(await stored).toEqual(["superseded"]);
    expect(await backend.read([id])).toMatchObject([{ result: 1 }]);
    await backend.forget([id]);
  });

  // Its timers are looked for at the end of this file, like all that is left open.
  test("closed while it subscribes keeps nothing open", async () => {
    const backend = redisResultBackend({ location: proxy.url });
    const subscribed = backend.subscribe(() => undefined).catch(() => undefined);
    await backend.close();
    await subscribed;
    await eventually("end of its connections", () => proxy.connections() === 0);
  });

  describe("a subscription", () => {
    async function listen(backend: Results): Promise<(id: string) => Promise<TaskRecord | undefined>> {
      const heard = new Map<string, TaskRecord | undefined>();
      await backend.subscribe((id, record) => heard.set(id, record));
      return (id) => eventually(`notification of ${id}`, () => heard.has(id)).then(() => heard.get(id));
    }

    async function notify(replyTo: string): Promise<string> {
      const id = newId();
      await open({ location: inject("redisUrl") }).store([storeOf(id, {}, { replyTo, expires: 10_000 })]);
      return id;
    }

    test("hears again after its connection was reset", async () => {
      const backend = open();
      const hears = await listen(backend);
      await hears(await notify(backend.replyChannel));
      for (let round = 0; round < 3; round++) {
        proxy.reset();
        await eventually("subscription", async () => Number((await redis.pubsub("NUMSUB", backend.replyChannel))[1]) > 0);
        expect(await hears(await notify(backend.replyChannel))).toEqual({ state: "SUCCESS", delivery: 1 });
      }
    });

    test("that could not be made can be tried again", async () => {
      proxy.refuse();
      const backend = open({ deadline: 300 });
      await expect(backend.subscribe(() => undefined)).rejects.toMatchObject({ code: "RESULT_BACKEND_UNAVAILABLE" });
      proxy.pass();
      const hears = await listen(backend);
      await hears(await notify(backend.replyChannel));
    });

    test("may be many in one message, with their records or without, and hides none behind a broken one", async () => {
      const backend = open();
      const hears = await listen(backend);
      const [first, broken, large, last] = [newId(), newId(), newId(), newId()];
      const record = (result: number) => `{"state":"SUCCESS","delivery":1,"result":${result}}`;
      const lines = [`${first}${record(1)}`, "no notification", "", `${broken}{"state":`, large, `${last}${record(2)}`];
      await redis.publish(backend.replyChannel, lines.join("\n"));
      expect(await hears(last)).toEqual({ state: "SUCCESS", delivery: 1, result: 2 });
      expect(await hears(first)).toEqual({ state: "SUCCESS", delivery: 1, result: 1 });
      expect([await hears(broken), await hears(large)]).toEqual([undefined, undefined]);
    });

    // Whoever may publish in that Redis must not be able to end our processes.
    test.each(["", "x", "not an id and not a record either, at all", `${newId()}{`, `${newId()}{"a":1}`, `${newId()}{"__proto__":1}`])(
      "gets over what is no notification: %j",
      async (payload) => {
        const backend = open();
        const hears = await listen(backend);
        await redis.publish(backend.replyChannel, payload);
        expect(await hears(await notify(backend.replyChannel))).toEqual({ state: "SUCCESS", delivery: 1 });
      },
    );
  });
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { workerKey } from "../../src/redis/keys.js";
import type { WorkerNames } from "../../src/ports/workers.js";
import { openBroker, type RedisBroker } from "../bullmq/broker.js";

const one = { host: "a", pid: 1, startedAt: 1000 };
const two = { host: "b", pid: 2, startedAt: 2000 };
let broker: RedisBroker;
let names: WorkerNames;

beforeAll(() => {
  broker = openBroker();
  names = broker.connect().workers;
});

afterAll(() => broker.close());

test("a name goes to whoever asks first, who keeps it, and others hear whose it is", async () => {
  expect(await names.claim("first", "t1", one)).toBeUndefined();
  expect(await names.claim("first", "t2", two)).toEqual(one);
  expect(await names.claim("first", "t1", one)).toBeUndefined();
  expect(await names.claim("other", "t2", two)).toBeUndefined();
});

test("of many that ask at once one gets it", async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, (_, number) => names.claim("many", `t${number}`, { ...one, pid: number })));
  expect(answers.filter((answer) => answer === undefined)).toHaveLength(1);
});

test("a name is free again once it is given up, by its holder only, and a minute after the last claim", async () => {
  await names.claim("free", "t1", one);
  await names.release("free", "t2");
  expect(await names.claim("free", "t2", two)).toEqual(one);
  const left = await broker.redis.pttl(workerKey(broker.prefix, "free"));
  expect(left).toBeGreaterThan(50_000);
  expect(left).toBeLessThanOrEqual(60_000);
  await names.release("free", "t1");
  expect(await names.claim("free", "t2", two)).toBeUndefined();
});

test("another prefix has names of its own", async () => {
  await names.claim("apart", "t1", one);
  expect(await broker.connect({ prefix: `${broker.prefix}-2` }).workers.claim("apart", "t2", two)).toBeUndefined();
});

test("what somebody planted is no answer", async () => {
  const key = workerKey(broker.prefix, "planted");
  await broker.redis.hset(key, { token: "t", host: "h".repeat(1_000_000), pid: "-1", startedAt: "9".repeat(400) });
  expect(await names.claim("planted", "t1", one)).toEqual({ host: "h".repeat(200) });
  await broker.redis.set(key, "no hash");
  await expect(names.claim("planted", "t1", one)).rejects.toMatchObject({
    code: "BROKER_UNAVAILABLE",
    details: { refused: true, action: "the name planted was not claimed" },
  });
});

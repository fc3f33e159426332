import { setTimeout as sleep } from "node:timers/promises";
import { openRedis, type RedisServer } from "@bullrush/broker/embedded";
import { createApp } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";

const log = pino({ level: "silent" });
let redis: RedisServer;
let admin: Redis;

// A server of its own: what it counts is only what is sent here.
beforeAll(async () => {
  redis = await openRedis();
  admin = new Redis(redis.url);
});

afterAll(async () => {
  admin.disconnect();
  await redis.stop();
});

/** How often each command was run since the counts were reset, by clients and by scripts. */
async function calls(): Promise<Readonly<Record<string, number>>> {
  const text = await admin.info("commandstats");
  return Object.fromEntries(Array.from(text.matchAll(/^cmdstat_(\S+):calls=(\d+)/gm), ([, name, count]) => [name, Number(count)]));
}

test("a result is read at most twice, however long it takes to come", async () => {
  const options = { broker: `${redis.url}/3`, backend: `${redis.url}/4` };
  const producer = createApp(options);
  const app = createApp(options);
  app.task("slow", () => sleep(300, "done"));
  const worker = createWorker(app, { log });
  await worker.start();
  await admin.config("RESETSTAT");
  const results = await Promise.all(Array.from({ length: 50 }, () => producer.sendTask<string>("slow")));
  expect(await Promise.all(results.map((result) => result.get()))).toEqual(Array.from({ length: 50 }, () => "done"));
  const { mget = 0, get = 0 } = await calls();
  expect(mget + get).toBeGreaterThan(0);
  expect(mget + get).toBeLessThanOrEqual(2 * 50);
  await Promise.all([worker.stop(), producer.close()]);
});

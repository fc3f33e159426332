import type { Results } from "@bullrush/broker";
import { openRedis, type RedisServer } from "@bullrush/broker/embedded";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { asCompleted, gather, type AsyncResult } from "../../src/index.js";
import { callsOf, redis } from "../redis.js";
import { subscriptionsOf, testApp, timed } from "../support.js";
import { several } from "./tasks.js";

const count = 10_000;

let server: RedisServer;

beforeAll(async () => {
  server = await openRedis();
});

afterAll(() => server.stop());

/** Stores the results, of so many bytes, a hundred at a time, and says so. */
async function tellAll(backend: Results, results: readonly AsyncResult[], bytes = 0): Promise<void> {
  const padding = "x".repeat(bytes);
  for (let at = 0; at < results.length; at += 100) {
    await backend.store(
      results.slice(at, at + 100).map(({ id }, index) => ({
        id,
        delivery: 1,
        expires: 60_000,
        replyTo: backend.replyChannel,
        record: `{"state":"SUCCESS","delivery":1,"result":${at + index},"reason":"${padding}"}`,
      })),
    );
  }
}

/** The timers of this process. */
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

describe("ten thousand results", () => {
  test("one subscription, few reads, no timer each", async () => {
    const app = testApp({ broker: server.url });
    const results = await several(app, count);
    const before = { timers: timers(), reads: await callsOf(server.url, "mget") };
    const gathered = gather(results, { timeout: "1m" });
    await eventually("they are subscribed to", async () => (await subscriptionsOf(server.url, app)) === 1);
    expect(timers() - before.timers).toBeLessThan(10);
    await tellAll(app.engine.results, results);
    expect(await gathered).toEqual(results.map((_, index) => index));
    expect((await callsOf(server.url, "mget")) - before.reads).toBeLessThan(30);
    expect(String(await redis(server.url, "CLIENT", "LIST")).match(/name=bullrush:replies\b/g)).toHaveLength(1);
  });

  test("wait that ends at the first: leaves the rest", async () => {
    const app = testApp({ broker: server.url });
    const results = await several(app, count);
    const first = timed(async () => {
      for await (const re of asCompleted(results, { timeout: "1m" })) return re.get();
      return undefined;
    });
    await tellAll(app.engine.results, results.slice(0, 100));
    expect(await first).toMatchObject({ value: expect.any(Number) as number });
  });

  test("too large for notifications: not looked for one by one among all", async () => {
    const app = testApp({ broker: server.url });
    const results = await several(app, 2000);
    const gathered = gather(results, { timeout: "1m" });
    await eventually("they are subscribed to", async () => (await subscriptionsOf(server.url, app)) === 1);
    await tellAll(app.engine.results, results, 17_000);
    expect(await gathered).toHaveLength(results.length);
  });
});

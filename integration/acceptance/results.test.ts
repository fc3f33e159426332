import { createApp, type App } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { Redis } from "ioredis";
import { pino } from "pino";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { serverBinary, startServer, type Server } from "../lib/server.js";

/** A worker with four slots whose results are on a server of their own. */
async function setUp(): Promise<{ readonly app: App; readonly results: Server; readonly client: Redis }> {
  const results = await startServer();
  const client = new Redis(results.url(), { replyMapping: "legacy" });
  onTestFinished(() => client.disconnect());
  const app = createApp({ broker: inject("redisUrl"), backend: results.url(), prefix: `test-${results.port}` });
  return { app, results, client };
}

async function start(app: App): Promise<void> {
  const worker = createWorker(app, { concurrency: 4, log: pino({ level: "silent" }) });
  onTestFinished(async () => void (await worker.stop(AbortSignal.abort())));
  await worker.start();
}

describe.skipIf(serverBinary === undefined)("result backend that hangs", () => {
  test("as many tasks as slots are held up and no more, and none is lost", async () => {
    const { app, client } = await setUp();
    let started = 0;
    const counted = app.task("counted", (n: number) => {
      started++;
      return n;
    });
    const unkept = app.task("unkept", { ignoreResult: true }, () => void started++);
    await start(app);
    expect(await (await counted.delay(0)).get({ timeout: hangTimeout })).toBe(0);
    await client.client("PAUSE", 60_000, "WRITE");
    started = 0;
    const three = await Promise.all([1, 2, 3].map((n) => counted.delay(n)));
    await eventually("three have run", () => started === 3);
    // Their slots are free, and those that store nothing go on.
    await Promise.all(Array.from({ length: 20 }, () => unkept.delay()));
    await eventually("all others have run", () => started === 23);
    const more = await Promise.all([4, 5, 6, 7].map((n) => counted.delay(n)));
    await eventually("the last slot is held up too", () => started === 24);
    const [counts] = await app.engine.queues.counts(["default"]);
    expect(counts).toMatchObject({ waiting: 3, active: 4 });
    await client.client("UNPAUSE");
    const values = await Promise.all([...three, ...more].map((result) => result.get({ timeout: hangTimeout })));
    expect(values).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(started).toBe(27);
  });
});

import { randomUUID as newId } from "node:crypto";
import { chain, chord, createApp, group, type App, type AppOptions } from "@bullrush/client";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from "vitest";
import { createWorker } from "@bullrush/worker";
import { hangTimeout } from "../lib/hang-timeout.js";
import { until } from "../lib/until.js";

let redis: Redis;

beforeAll(async () => {
  redis = new Redis(inject("redisUrl"), { replyMapping: "legacy", maxRetriesPerRequest: null });
  // Compressed data cannot be searched.
  await redis.config("SET", "rdbcompression", "no");
});

// Before the check for what is left open, unlike what `beforeAll` returns.
afterAll(() => redis.disconnect());

/**
 * An app with a word of its own to look for in what is left of its tasks, and with every kind of
 * task.
 */
function scene(options: Partial<AppOptions> = {}): { readonly app: App; readonly canary: string; readonly start: () => Promise<void> } {
  const canary = `canary-${newId()}`;
  const app = createApp({ broker: inject("redisUrl"), prefix: `kept-${newId()}`, ...options });
  onTestFinished(() => app.close());
  app.task("echo", (value: unknown) => value);
  app.task("fail", (value: unknown) => {
    throw new Error(`no ${String(value)}`);
  });
  app.task("retry", { autoRetryFor: Error, retryDelay: 0, maxRetries: 1 }, (value: unknown) => {
    throw new Error(`not again: ${String(value)}`);
  });
  app.task("reject", function (_value: unknown) {
    return this.reject({ reason: canary });
  });
  app.task("replace", function (value: unknown) {
    return this.replace(app.stub("echo").s(value));
  });
  const start = async () => {
    const worker = createWorker(app, { log: pino({ level: "silent" }), lease: "3s" });
    onTestFinished(async () => void (await worker.stop(AbortSignal.abort())));
    await worker.start();
  };
  return { app, canary, start };
}

/** The keys of Redis, in whichever database of the tests, that hold `text`. */
async function keysWith(text: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const keys of redis.scanStream({ count: 1000 }) as AsyncIterable<string[]>) {
    const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
    found.push(...keys.filter((_, index) => dumps[index]?.includes(text) ?? false));
  }
  return found;
}

async function expectSettled(app: App): Promise<void> {
  await until(async () => expect((await app.engine.queues.counts(["default"]))[0]).toMatchObject({ waiting: 0, active: 0, delayed: 0 }));
}

const ends = { timeout: hangTimeout, propagate: false } as const;

it("forget(): no key of the task is left, however it was called and has ended", async () => {
  const { app, canary, start } = scene();
  await start();
  const stub = (name: string) => app.stub(name);
  const [echo, fail, retry, reject, replace] = [stub("echo"), stub("fail"), stub("retry"), stub("reject"), stub("replace")];
  const handles = [
    await echo.delay(canary),
    await app.sendTask("echo", [canary], { priority: 3, countdown: 1, headers: { tenant: canary } }),
    await fail.delay(canary),
    await retry.delay(canary),
    await reject.delay(canary),
    await replace.delay(canary),
    await app.sendTask("echo", [canary], { expires: new Date(Date.now() - 1000) }),
    await chain(echo.s(canary), echo.s()).delay(),
    await chain(fail.s(canary), echo.s(canary)).delay(),
    await group(echo.s(canary), fail.s(canary)).delay(),
    await chord(group(echo.s(canary), echo.s(canary)), echo.s()).delay(),
  ];
  for (const handle of handles) await handle.get(ends);
  const quiet = await app.sendTask("echo", [canary], { ignoreResult: true });
  await expectSettled(app);
  expect(await keysWith(canary)).not.toEqual([]);
  for (const handle of [...handles, quiet]) await handle.forget();
  expect((await keysWith(canary)).filter((key) => !key.endsWith(":events"))).toEqual([]);
  const events = await redis.xrange(`${app.options.prefix}:default:events`, "-", "+");
  expect(JSON.stringify(events)).not.toContain(canary);
});

it("forget() of a task in several queues: no key is left in any, by any handle", async () => {
  const fan = { name: "all", type: "fanout" } as const;
  const { app, canary, start } = scene({
    queues: ["default", { name: "a", exchange: fan }, { name: "b", exchange: fan }, { name: "c", exchange: fan }],
  });
  await start();
  const send = () => app.sendTask("echo", [canary], { exchange: "all" });
  const [mine, other] = [await send(), await send()];
  const counts = async () => (await app.engine.queues.counts(["a", "b", "c"])).map(({ completed }) => completed);
  await until(async () => expect(await counts()).toEqual([2, 2, 2]));
  await mine.forget();
  await app.asyncResult(other.id).forget();
  expect(await keysWith(canary)).toEqual([]);
});

it("forget() of a task revoked before it was due: not even its message is left", async () => {
  const { app, canary } = scene();
  const echo = app.stub("echo");
  const handles = [
    await echo.delay(canary),
    await app.sendTask("echo", [canary], { countdown: "1h", priority: 3 }),
    await group(echo.s(canary), echo.s(canary).set({ countdown: "1h" })).delay(),
  ];
  for (const handle of handles) await handle.revoke({ reason: canary });
  for (const handle of handles) await handle.forget();
  expect(await keysWith(canary)).toEqual([]);
  await expectSettled(app);
});

it("forget() before the message is settled, on two servers: no key is left", async () => {
  // Of another name, so another server as far as anybody can tell.
  const { app, canary, start } = scene({ backend: inject("redisUrl").replace("127.0.0.1", "localhost") });
  await start();
  for (let round = 0; round < 20; round++) {
    const result = await app.sendTask("echo", [canary]);
    expect(await result.get({ timeout: hangTimeout })).toBe(canary);
    await result.forget();
    expect(await keysWith(canary)).toEqual([]);
  }
});

it("forget() of a waiting task: its message stays, and it runs", async () => {
  const { app, canary, start } = scene();
  const result = await app.sendTask("echo", [canary]);
  await result.forget();
  await start();
  expect(await result.get({ timeout: hangTimeout })).toBe(canary);
});

it("forget() of a task revoked before it started: no key is left, with or without a worker", async () => {
  const { app, canary, start } = scene();
  const echo = app.stub("echo");
  const handles = [
    await echo.delay(canary),
    await app.sendTask("echo", [canary], { countdown: "1h" }),
    await app.sendTask("echo", [canary], { priority: 3 }),
    await chain(echo.s(canary), echo.s(canary)).delay(),
  ];
  for (const handle of handles) expect(await handle.revoke()).toBe(true);
  for (const handle of handles.slice(0, 3)) await handle.forget();
  expect((await app.engine.queues.counts(["default"]))[0]).toMatchObject({ waiting: 1, delayed: 0, failed: 0 });
  await start();
  await until(async () => expect((await app.engine.queues.counts(["default"]))[0]).toMatchObject({ waiting: 0, active: 0 }));
  await handles[3]!.forget();
  await until(async () => expect(await keysWith(canary)).toEqual([]));
});

it("purge: no key of the messages is left, nor of their flows once a worker has repaired them", async () => {
  const { app, canary, start } = scene();
  const echo = app.stub("echo");
  await echo.delay(canary);
  await app.sendTask("echo", [canary], { countdown: "1h", priority: 3 });
  const chained = await chain(echo.s(canary), echo.s(canary)).delay();
  const joined = await chord(group(echo.s(canary), echo.s(canary)), echo.s(canary)).delay();
  expect(await app.engine.queues.purge("default")).toBe(5);
  await start();
  for (const handle of [chained, joined]) await handle.get(ends);
  await until(async () => expect(await keysWith(canary)).toEqual([]));
});

it("bullmqEvents false: no events in any state", async () => {
  const { app, start } = scene({ bullmqEvents: false, timezone: "UTC" });
  await start();
  const [echo, fail, retry] = [app.stub("echo"), app.stub("fail"), app.stub("retry")];
  const handles = [
    await echo.delay(1),
    await app.sendTask("echo", [1], { priority: 3 }),
    await app.sendTask("echo", [1], { countdown: 20 }),
    await fail.delay(1),
    await retry.delay(1),
    await app.sendTask("nobody", []),
    await chord(group(echo.s(1), echo.s(2)), echo.s()).delay(),
  ];
  for (const handle of handles.filter((_, index) => index !== 5)) await handle.get(ends);
  await app.engine.queues.purge("default");
  expect(await redis.keys(`${app.options.prefix}:*:events`)).toEqual([]);
  expect(await redis.exists(`${app.options.prefix}:default:completed`)).toBe(1);
});

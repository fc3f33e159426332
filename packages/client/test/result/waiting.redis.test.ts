import { newId } from "@bullrush/broker";
import { openRedis, type RedisServer } from "@bullrush/broker/embedded";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { UnknownTaskError, type AppOptions } from "../../src/index.js";
import { callsOf, redis } from "../redis.js";
import { failing, rejected, store, subscriptionsOf, take, testApp, timed, waiting } from "../support.js";

/** A private Redis, so that its counters belong to this file. */
let server: RedisServer;
beforeAll(async () => {
  server = await openRedis();
});
afterAll(() => server.stop());

const privateApp = (options: AppOptions = {}) => testApp({ broker: server.url, ...options });

/**
 * Waits until the first look at a result was without success, so that the next one is due after
 * almost 2 s.
 */
async function looked(before: number): Promise<void> {
  await eventually("the result was looked at", async () => (await callsOf(server.url, "mget")) > before);
}

/**
 * A worker that opens tries whether it may send MGET, and a settlement looks at the locks of what
 * it settles with one; all others are looks at results.
 */
const byWorking = 2;

describe("result of a task that this process sent", () => {
  test("notified: comes with the notification", async () => {
    const app = privateApp();
    const before = await callsOf(server.url, "mget");
    const re = await app.sendTask("tasks.a");
    const { get } = await waiting(server.url, app, re);
    await looked(before);
    const { end } = await take(app);
    await end({ type: "succeeded", result: "7" }, { result: 7 });
    expect(await get).toBe(7);
    expect((await callsOf(server.url, "mget")) - before).toBe(1 + byWorking);
  });

  test("too large for the notification: read after it", async () => {
    const app = privateApp();
    const before = await callsOf(server.url, "mget");
    const re = await app.sendTask("tasks.a");
    const { get } = await waiting(server.url, app, re);
    await looked(before);
    const result = "ü".repeat(20_000);
    const { end } = await take(app);
    await end({ type: "succeeded", result: JSON.stringify(result) }, { result });
    expect(await get).toBe(result);
    expect((await callsOf(server.url, "mget")) - before).toBe(2 + byWorking);
  });

  test("notification lost: found by polling", async () => {
    const app = privateApp();
    const before = await callsOf(server.url, "mget");
    const re = await app.sendTask("tasks.a");
    const { get } = await waiting(server.url, app, re);
    await looked(before);
    await store(app, { id: re.id }, { result: 7 });
    expect(await get).toBe(7);
    expect((await callsOf(server.url, "mget")) - before).toBeLessThanOrEqual(2);
  });

  test("there before: read once", async () => {
    const app = privateApp();
    const re = await app.sendTask("tasks.a");
    await store(app, re, { result: 7 });
    const before = await callsOf(server.url, "mget");
    expect(await re.get({ timeout: hangTimeout })).toBe(7);
    expect((await callsOf(server.url, "mget")) - before).toBe(1);
  });

  test("notification of a state that is not terminal: no end", async () => {
    const app = privateApp();
    const re = await app.sendTask("tasks.a");
    const { get } = await waiting(server.url, app, re);
    for (const state of ["PROGRESS", "RETRY", "STARTED"]) {
      await store(app, { id: re.id, replyTo: app.engine.results.replyChannel }, { state, meta: 1 });
    }
    await store(app, { id: re.id, replyTo: app.engine.results.replyChannel }, { result: 7 });
    expect(await get).toBe(7);
  });

  test("several waits: each gets it, and one that is given up does not disturb the others", async () => {
    const app = privateApp();
    const re = await app.sendTask("tasks.a");
    const abort = new AbortController();
    const first = waiting(server.url, app, re);
    const gone = rejected(re.get({ signal: abort.signal }));
    const late = rejected(re.get({ timeout: 20 }));
    const second = app.asyncResult(re.id).get({ timeout: hangTimeout });
    abort.abort();
    expect(await late).toEqual(failing("TASK_TIMEOUT"));
    expect(await gone).toBe(abort.signal.reason);
    const { end } = await take(app);
    const { get } = await first;
    await end({ type: "succeeded", result: "7" }, { result: 7 });
    expect(await Promise.all([get, second, re.get()])).toEqual([7, 7, 7]);
  });

  test("broken record of another task: not held up", async () => {
    const app = privateApp();
    const [sound, broken] = [await app.sendTask("tasks.a"), await app.sendTask("tasks.a")];
    await store(app, sound, { result: 7 });
    await redis(server.url, "SET", `bullrush:result:${broken.id}`, "{}");
    const gets = [sound.get({ timeout: hangTimeout }), rejected(broken.get({ timeout: hangTimeout }))];
    expect(await Promise.all(gets)).toEqual([7, failing("TASK_FAILED")]);
  });
});

describe("a hundred results", () => {
  test("one subscription, one connection and few reads", async () => {
    const app = privateApp();
    const results = await Promise.all(Array.from({ length: 100 }, (_, index) => app.sendTask("tasks.a", [index])));
    const before = await callsOf(server.url, "mget");
    const gets = results.map((re) => re.get({ timeout: hangTimeout }));
    await eventually("they are subscribed to", async () => (await subscriptionsOf(server.url, app)) === 1);
    await looked(before);
    const clients = String(await redis(server.url, "CLIENT", "LIST"));
    expect(clients.match(/name=bullrush:replies\b/g)).toHaveLength(1);
    expect(clients.match(/name=bullrush:results\b/g)).toHaveLength(1);
    const replyTo = app.engine.results.replyChannel;
    await Promise.all(results.map(({ id }, index) => store(app, { id, replyTo }, { result: index })));
    expect(await Promise.all(gets)).toEqual(results.map((_, index) => index));
    expect((await callsOf(server.url, "mget")) - before).toBeLessThanOrEqual(2);
  });

  test("large ones: the same", async () => {
    const app = privateApp();
    const results = await Promise.all(Array.from({ length: 100 }, () => app.sendTask("tasks.a")));
    const before = await callsOf(server.url, "mget");
    const gets = results.map((re) => re.get({ timeout: hangTimeout }));
    await looked(before);
    const large = "x".repeat(17_000);
    const replyTo = app.engine.results.replyChannel;
    await app.engine.results.store(
      results.map(({ id }) => ({
        id,
        replyTo,
        delivery: 1,
        expires: 60_000,
        record: `{"state":"SUCCESS","delivery":1,"result":"${large}"}`,
      })),
    );
    expect(new Set(await Promise.all(gets))).toEqual(new Set([large]));
    expect((await callsOf(server.url, "mget")) - before).toBeLessThanOrEqual(4);
  });

  test("two apps: a subscription each, and none is left when both are closed", async () => {
    const apps = [privateApp(), privateApp()];
    const channels = apps.map((app) => app.engine.results.replyChannel);
    expect(new Set(channels).size).toBe(2);
    for (const app of apps) {
      const re = await app.sendTask("tasks.a");
      const { get } = await waiting(server.url, app, re);
      const { end } = await take(app);
      await end({ type: "succeeded", result: "1" }, { result: 1 });
      expect(await get).toBe(1);
    }
    await Promise.all(apps.map((app) => app.close()));
    await eventually("nobody listens", async () => {
      const reply = await redis(server.url, "PUBSUB", "NUMSUB", ...channels);
      return Array.isArray(reply) && reply[1] === 0 && reply[3] === 0;
    });
  });
});

describe("result of a task that another process sent", () => {
  test("found by polling, without a subscription", async () => {
    const sender = privateApp();
    const re = await sender.sendTask("tasks.a");
    const app = privateApp({ prefix: sender.options.prefix });
    const before = await callsOf(server.url, "mget");
    const get = app.asyncResult(re.id).get({ timeout: hangTimeout });
    await looked(before + 2);
    const { end } = await take(sender);
    await end({ type: "succeeded", result: "7" }, { result: 7 });
    expect(await get).toBe(7);
    expect(await subscriptionsOf(server.url, app)).toBe(0);
  });

  test("polled ever more rarely", async () => {
    const sender = privateApp();
    const re = await sender.sendTask("tasks.a");
    const app = privateApp({ prefix: sender.options.prefix });
    const before = await callsOf(server.url, "mget");
    await rejected(app.asyncResult(re.id).get({ timeout: 1000 }));
    // After 0, 50, 150, 350 and 750 ms.
    expect((await callsOf(server.url, "mget")) - before).toBeLessThanOrEqual(5);
  });
});

describe("task that was lost from its queue", () => {
  test("sent by this process: unknown after a while, but not at the first look", async () => {
    const app = privateApp();
    const re = await app.sendTask("tasks.a");
    await app.engine.queues.purge("default");
    const { value: error, took } = await timed(() => rejected(re.get({ timeout: hangTimeout })));
    expect(error).toBeInstanceOf(UnknownTaskError);
    expect(error).toEqual(failing("UNKNOWN_TASK", { id: re.id }));
    expect(took).toBeGreaterThan(1000);
  });

  test("sent by another process: unknown at once", async () => {
    const app = privateApp();
    const { id } = await app.sendTask("tasks.a");
    await app.engine.queues.purge("default");
    const error = await rejected(app.asyncResult(id).get({ timeout: hangTimeout }));
    expect(error).toBeInstanceOf(UnknownTaskError);
  });

  test("very many unknown tasks: each wait rejects", async () => {
    const app = privateApp();
    const before = await callsOf(server.url, "mget");
    const errors = await Promise.all(Array.from({ length: 12_000 }, () => rejected(app.asyncResult(newId()).get())));
    expect(errors.filter((error) => error instanceof UnknownTaskError)).toHaveLength(12_000);
    expect((await callsOf(server.url, "mget")) - before).toBeLessThan(50);
  });
});

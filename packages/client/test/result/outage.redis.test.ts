import { redisResultBackend } from "@bullrush/broker";
import { openRedis, type RedisServer } from "@bullrush/broker/embedded";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { AsyncResult, asCompleted, gather, waitFor } from "../../src/index.js";
import { ResultWaiter } from "../../src/result/waiter.js";
import { openProxy } from "../../../../integration/lib/proxy.js";
import { callsOf, redis } from "../redis.js";
import { failing, openGate, rejected, store, take, testApp, waiting } from "../support.js";

/** A private Redis, so that its connections and counters belong to this file. */
let server: RedisServer;
beforeAll(async () => {
  server = await openRedis();
});
afterAll(() => server.stop());

describe("outage", () => {
  test("subscription alone: repaired, and no result is lost meanwhile", async () => {
    const app = testApp({ broker: server.url });
    const replyTo = app.engine.results.replyChannel;
    const [a, b] = [await app.sendTask("tasks.a"), await app.sendTask("tasks.a")];
    const { get } = await waiting(server.url, app, a);
    expect(await redis(server.url, "CLIENT", "KILL", "TYPE", "pubsub")).toBe(1);
    await store(app, { id: a.id, replyTo }, { result: 1 });
    expect(await get).toBe(1);
    const before = await callsOf(server.url, "mget");
    const later = await waiting(server.url, app, b);
    await eventually("it was looked at", async () => (await callsOf(server.url, "mget")) > before);
    await store(app, { id: b.id, replyTo }, { result: 2 });
    expect(await later.get).toBe(2);
  });

  test("all connections to the backend, for a moment: waits continue", async () => {
    const gate = await openGate(server.url);
    const app = testApp({ broker: server.url, backend: gate.url });
    const re = await app.sendTask("tasks.a");
    const { get } = await waiting(server.url, app, re);
    gate.cut();
    await store(testApp({ broker: server.url }), { id: re.id }, { result: 7 });
    expect(await get).toBe(7);
  });

  test("broker: results still come", async () => {
    const gate = await openGate(server.url);
    const app = testApp({ broker: gate.url, backend: server.url });
    const re = await app.sendTask("tasks.a");
    gate.block();
    const before = await callsOf(server.url, "mget");
    const gets = Promise.all([re.get({ timeout: hangTimeout }), app.asyncResult(re.id).get({ timeout: hangTimeout })]);
    await eventually("the results are looked for", async () => (await callsOf(server.url, "mget")) > before + 3);
    await store(testApp({ broker: server.url }), { id: re.id }, { result: 7 });
    expect(await gets).toEqual([7, 7]);
  });

  test("backend: calls that do not wait for an end reject after their deadline", async () => {
    const gate = await openGate(server.url);
    const app = testApp({ broker: server.url, backend: gate.url });
    const re = await app.sendTask("tasks.a");
    await waiting(server.url, app, re);
    gate.block();
    const unavailable = failing("RESULT_BACKEND_UNAVAILABLE", { url: expect.stringContaining(new URL(gate.url).host) });
    const calls = [rejected(re.status()), rejected(re.ready()), rejected(re.forget())];
    expect(await Promise.all(calls)).toEqual(calls.map(() => unavailable));
  });

  test.each(["from the first look on", "later"])(
    "backend, %s: no wait ends, with or without a timeout, and the result comes afterwards",
    async (when) => {
      const proxy = await openProxy(server.url);
      onTestFinished(() => proxy.close());
      const app = testApp({ broker: server.url, backend: proxy.url });
      const re = await app.sendTask("tasks.a");
      if (when === "later") await waiting(server.url, app, re);
      proxy.blackhole({ alsoNew: true });
      const timeout = "60s";
      const iterate = async (options: Parameters<typeof re.iterate>[0] = {}) => {
        const reports = re.iterate(options);
        for (;;) {
          const { done, value } = await reports.next();
          if (done) return value;
        }
      };
      const completed = async () => {
        for await (const one of asCompleted([re], { timeout })) return one.get();
        return "nothing";
      };
      const waits = Promise.all([
        re.get({ timeout }),
        app.asyncResult(re.id).get({ timeout }),
        gather([re], { timeout }),
        completed(),
        iterate({ timeout }),
        re.get(),
        app.asyncResult(re.id).get(),
        gather([re]),
        iterate(),
        waitFor([re], { timeout }).then(({ done }) => done.length),
      ]);
      waits.catch(() => undefined);
      // It has lasted for longer than any look tries by itself.
      expect(await rejected(re.status())).toEqual(failing("RESULT_BACKEND_UNAVAILABLE"));
      await store(testApp({ broker: server.url }), re, { result: 7 });
      proxy.heal();
      const success = { state: "SUCCESS", result: 7 };
      expect(await waits).toEqual([7, 7, [7], 7, success, 7, 7, [7], success, 1]);
    },
  );

  test("backend, longer than a timeout: the cause of the error; one that is over: not", async () => {
    const proxy = await openProxy(server.url);
    onTestFinished(() => proxy.close());
    const app = testApp({ broker: server.url });
    const { id } = await app.sendTask("tasks.a");
    const backend = redisResultBackend({ location: proxy.url, deadline: 100 });
    onTestFinished(() => backend.close());
    let outages = 0;
    const waiter = new ResultWaiter(
      { ...backend, read: (ids) => backend.read(ids).catch((error: unknown) => (outages++, Promise.reject(error as Error))) },
      app.engine.queues,
    );
    const source = { engine: { ...app.engine, results: backend }, waiter, revoke: async () => [], options: app.options };
    const re = new AsyncResult(() => source, { id, queues: ["default"], own: false });
    proxy.blackhole({ alsoNew: true });
    const [during, after] = [rejected(re.get({ timeout: 1000 })), rejected(re.get({ timeout: 6000 }))];
    expect(await during).toMatchObject({ code: "TASK_TIMEOUT", cause: { code: "RESULT_BACKEND_UNAVAILABLE" } });
    expect(outages).toBeGreaterThan(0);
    proxy.heal();
    expect(((await after) as Error).cause).toBeUndefined();
  });

  test("backend, while a task is sent: the broker has the task", async () => {
    const gate = await openGate(server.url);
    gate.block();
    const app = testApp({ broker: server.url, backend: gate.url });
    const re = await app.sendTask("tasks.a");
    expect((await take(app)).message.id).toBe(re.id);
  });
});

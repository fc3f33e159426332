import { newId, type ControlCommand } from "@bullrush/broker";
import { openRedis, type RedisServer } from "@bullrush/broker/embedded";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { chain, group, TaskRevokedError, type App, type AsyncResult, type RevokeOptions } from "../../src/index.js";
import { callsOf, redis } from "../redis.js";
import { deadUrl, failing, rejected, store, take, testApp, waiting } from "../support.js";

const later = (app: App, task: string) => app.sendTask(task, [], { countdown: "1h" });

describe("revoke()", () => {
  test("waiting task: revoked at once for every caller, here and elsewhere", async () => {
    const app = testApp();
    const re = await app.sendTask("tasks.a", [], { countdown: "1h" });
    const { get } = await waiting(inject("redisUrl"), app, re);
    expect(await testApp({ prefix: app.options.prefix }).revoke(re.id, { reason: "the order was cancelled" })).toBe(true);
    const error = await rejected(get);
    expect(error).toBeInstanceOf(TaskRevokedError);
    expect(error).toMatchObject({ message: `tasks.a[${re.id}] was revoked: the order was cancelled` });
    expect(await re.status()).toBe("REVOKED");
    expect(await app.asyncResult(re.id).get({ propagate: false })).toEqual({ state: "REVOKED", reason: "the order was cancelled" });
  });

  test("revoked twice: the first reason stays", async () => {
    const app = testApp();
    const re = await app.sendTask("tasks.a");
    expect([await re.revoke(), await re.revoke({ reason: "another", terminate: true }), await app.revoke(re.id)]).toEqual([
      true,
      true,
      true,
    ]);
    expect(await rejected(re.get())).toEqual(failing("TASK_REVOKED", { reason: "by request" }));
    expect((await take(app)).delivery.revoked).toBe("by request");
  });

  test("claimed delivery: revoked, and a later success does not count", async () => {
    const app = testApp();
    const re = await app.sendTask("tasks.a");
    const { end } = await take(app);
    await app.engine.results.claim([{ id: re.id, delivery: 7, expires: 60_000, worker: "w1" }]);
    expect(await re.revoke()).toBe(true);
    await end({ type: "succeeded", result: "1" }, { result: 1, delivery: 8 });
    expect(await re.status()).toBe("REVOKED");
  });

  test("on loan: workers get a command; waiting: they do not", async () => {
    const app = testApp();
    const heard: ControlCommand[] = [];
    await app.engine.control.subscribe((command) => void heard.push(command));
    const [running, waits] = [await app.sendTask("tasks.a"), await app.sendTask("tasks.b")];
    await take(app);
    expect(await app.revoke([waits.id, running.id, newId()], { terminate: true, reason: "x" })).toEqual([true, true, false]);
    await eventually("the workers were told", () => heard.length > 0);
    expect(heard).toEqual([{ type: "revoke", ids: [running.id], reason: "x", terminate: true }]);
  });

  test("record: kept until the message is due, and then for resultExpires", async () => {
    const app = testApp({ resultExpires: "1m" });
    app.task("tasks.kept", { resultExpires: "2m" }, () => 1);
    const [soon, late, kept] = [await app.sendTask("tasks.a"), ...(await Promise.all([later(app, "tasks.a"), later(app, "tasks.kept")]))];
    expect(await app.revoke([soon.id, late!.id, kept!.id])).toEqual([true, true, true]);
    const lives = await Promise.all([soon, late, kept].map((re) => redis(inject("redisUrl"), "PTTL", `bullrush:result:${re!.id}`)));
    for (const [index, minutes] of [1, 61, 62].entries()) {
      expect(lives[index]).toBeGreaterThan((minutes - 1) * 60_000);
      expect(lives[index]).toBeLessThanOrEqual(minutes * 60_000);
    }
  });

  test("record gone while the message waits: still revoked", async () => {
    const app = testApp();
    const re = await app.sendTask("tasks.a");
    await re.revoke({ reason: "too late" });
    await app.engine.results.forget([re.id]);
    const handles = [re, app.asyncResult(re.id)];
    expect(await Promise.all(handles.map((handle) => handle.status()))).toEqual(["REVOKED", "REVOKED"]);
    const outcome = { state: "REVOKED", reason: "too late" };
    expect(await Promise.all(handles.map((handle) => handle.get({ propagate: false, timeout: hangTimeout })))).toEqual([outcome, outcome]);
  });

  test("not sent yet: REVOKED is stored, and the sent task needs no worker", async () => {
    const app = testApp();
    const taskId = newId();
    // Nobody can tell whether it will ever be sent.
    expect([await app.revoke(taskId.toUpperCase()), await app.revoke(taskId)]).toEqual([false, false]);
    const re = await app.sendTask("tasks.a", [], { taskId });
    expect(await rejected(re.get({ timeout: hangTimeout }))).toBeInstanceOf(TaskRevokedError);
    expect(await app.revoke(taskId)).toBe(true);
  });
});

describe("revoke() of a task that has ended", () => {
  test("stored result: unchanged", async () => {
    const app = testApp();
    const re = await app.sendTask("tasks.a");
    await (await take(app)).end({ type: "succeeded", result: "7" }, { result: 7 });
    expect(await re.revoke()).toBe(false);
    expect(await app.revoke([re.id])).toEqual([false]);
    expect(await re.get()).toBe(7);
  });

  test("message not settled yet: unchanged", async () => {
    const app = testApp();
    const re = await app.sendTask("tasks.a");
    await take(app);
    await store(app, re, { result: 7 });
    expect(await re.revoke()).toBe(false);
    expect(await re.get()).toBe(7);
  });

  test("no result: known to have ended while its queue remembers it", async () => {
    const app = testApp();
    const re = await app.sendTask("tasks.a", [], { ignoreResult: true });
    const consumer = app.engine.consume({ queues: [{ name: "default" }], order: "strict", lease: 15_000, worker: "w1" });
    const { deliveries } = await consumer.settleAndTake({ settle: [], take: 1 });
    await consumer.settleAndTake({ settle: [{ delivery: deliveries[0]!, outcome: { type: "succeeded" } }], take: 0 });
    expect(await re.revoke()).toBe(false);
    expect(await re.status()).toBe("UNKNOWN");
  });
});

describe("where revoke() looks", () => {
  test("handle: the task's own queue, declared or not", async () => {
    const app = testApp();
    const re = await app.sendTask("tasks.a", [], { queue: "elsewhere" });
    expect(await re.revoke()).toBe(true);
    expect((await take(app, "elsewhere")).delivery.revoked).toBe("by request");
  });

  test("id alone: every queue that was ever sent to", async () => {
    const app = testApp();
    const re = await app.sendTask("tasks.a", [], { queue: "elsewhere" });
    expect(await testApp({ prefix: app.options.prefix }).revoke(re.id)).toBe(true);
    expect((await take(app, "elsewhere")).delivery.revoked).toBe("by request");
  });

  test("id that is in two queues: revokes both", async () => {
    const app = testApp();
    const taskId = newId();
    for (const queue of ["one", "two"]) await app.sendTask("tasks.a", [], { queue, taskId });
    expect(await testApp({ prefix: app.options.prefix }).revoke(taskId)).toBe(true);
    for (const queue of ["one", "two"]) expect((await take(app, queue)).delivery.revoked).toBe("by request");
  });

  test("message gone: false", async () => {
    const app = testApp();
    const re = await app.sendTask("tasks.a");
    await app.engine.queues.purge("default");
    expect([await re.revoke(), await app.revoke(re.id)]).toEqual([false, false]);
    expect(await re.status()).toBe("REVOKED");
  });

  test("chain that ends in an empty group: all its steps", async () => {
    const app = testApp();
    const re = await chain(app.signature("a").set({ countdown: "1h" }), app.signature("b"), group()).delay();
    expect(await re.ready()).toBe(false);
    expect(await re.revoke({ reason: "no need" })).toEqual([]);
    expect(await re.ready()).toBe(true);
    expect(await rejected(re.get())).toBeInstanceOf(TaskRevokedError);
    const [last, first] = [re.parent, re.parent?.parent] as [AsyncResult, AsyncResult];
    for (const step of [last, first]) expect(await step.get({ propagate: false })).toEqual({ state: "REVOKED", reason: "no need" });
  });

  test("no ids: nothing", async () => {
    expect(await testApp().revoke([])).toEqual([]);
  });

  test.each<[what: string, ids: unknown, options: unknown, error: unknown]>([
    ["an id that is none", ["42"], {}, failing("INVALID_TASK_ID", { id: "42" })],
    ["no id at all", undefined, {}, failing("INVALID_TASK_ID")],
    ["an option that does not exist", newId(), { kill: true }, failing("INVALID_OPTION", { option: '"kill" of revoke()', got: "unknown" })],
    ["a flag that is none", newId(), { terminate: "yes" }, failing("INVALID_OPTION", { got: "a string" })],
    ["a reason that is none", newId(), { reason: "" }, failing("INVALID_OPTION", { got: "0 characters" })],
    ["a reason that is too long", newId(), { reason: "x".repeat(1001) }, failing("INVALID_OPTION", { got: "1001 characters" })],
  ])("%s: refused", async (_, ids, options, error) => {
    expect(await rejected(testApp().revoke(ids as string, options as RevokeOptions))).toEqual(error);
  });

  test("broker or backend away: rejects with its code", async () => {
    const away = deadUrl;
    const withoutBroker = testApp({ broker: away, backend: inject("redisUrl"), publishTimeout: 300 });
    expect(await rejected(withoutBroker.revoke(newId()))).toEqual(failing("BROKER_UNAVAILABLE"));
    await withoutBroker.close();
    expect(await rejected(withoutBroker.revoke(newId()))).toEqual(failing("APP_CLOSED"));
  });
});

describe("revoke() of very many ids", () => {
  /** Its calls are counted. */
  let server: RedisServer;
  beforeAll(async () => {
    server = await openRedis();
  });
  afterAll(() => server.stop());

  test("few calls", async () => {
    const app = testApp({ broker: server.url, queues: ["default", "a"] });
    const task = app.stub("tasks.a");
    const sent = await app.publishAll(Array.from({ length: 5000 }, (_, index) => task.s(index)));
    const ids = [...sent.map(({ id }) => id), ...Array.from({ length: 5000 }, newId)];
    await app.revoke(newId());
    const before = await callsOf(server.url, "evalsha");
    expect(await app.revoke(ids)).toEqual(ids.map((_, index) => index < 5000));
    expect((await callsOf(server.url, "evalsha")) - before).toBe(20);
    expect((await take(app)).delivery).toMatchObject({ id: ids[0], revoked: "by request" });
  });
});

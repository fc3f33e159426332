import { newId, type BrokerFacets } from "@bullrush/broker";
import { describe, expect, test } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { AsyncResult, type App } from "../../src/index.js";
import { rejected, store, take, testApp } from "../support.js";
import { ended, failure, sent, sourceOf, tell } from "./tasks.js";

describe("details", () => {
  test("ended task: all that is known, read at once", async () => {
    const [child, origin] = [newId(), { id: newId(), task: "tasks.b" }];
    const { re } = await ended({
      state: "FAILURE",
      failure,
      queue: "default",
      attempt: 3,
      startedAt: 1000,
      endedAt: 2000,
      children: [child],
      origin,
    });
    expect(await re.details()).toEqual({
      id: re.id,
      state: "FAILURE",
      name: "tasks.a",
      queue: "default",
      worker: "w1",
      attempt: 3,
      retries: 2,
      startedAt: new Date(1000),
      endedAt: new Date(2000),
      failure,
      children: [child],
      origin,
    });
  });

  test("waiting task: few fields; unknown id: fewer", async () => {
    const { app, re } = await sent();
    expect(await re.details()).toEqual({ id: re.id, state: "PENDING", name: "tasks.a" });
    const id = newId();
    expect(await app.asyncResult(id).details()).toEqual({ id, state: "UNKNOWN" });
  });

  test("running task: its worker, start, attempt, delivery and remaining lease", async () => {
    const { app, re } = await sent({ queue: "elsewhere" });
    const before = Date.now();
    await take(app, "elsewhere");
    const byId = testApp({ prefix: app.options.prefix }).asyncResult(re.id);
    const facts = { id: re.id, name: "tasks.a", queue: "elsewhere", worker: "w1", attempt: 1, retries: 0, delivery: 1 };
    for (const handle of [re, byId]) {
      const { startedAt, leaseLeft = 0, ...others } = await handle.details();
      expect(others).toEqual({ ...facts, state: "STARTED" });
      expect(startedAt?.getTime()).toBeGreaterThanOrEqual(before);
      expect(leaseLeft).toBeGreaterThan(0);
      expect(leaseLeft).toBeLessThanOrEqual(15_000);
    }
    await store(app, re, { state: "PROGRESS", meta: { done: 50 }, worker: "w0", attempt: 7 });
    expect(await byId.details()).toMatchObject({ ...facts, state: "PROGRESS", meta: { done: 50 } });
    await app.engine.results.claim([{ id: re.id, delivery: 2, expires: 60_000, worker: "w0" }]);
    expect(await byId.details()).toMatchObject({ ...facts, state: "STARTED" });
  });

  test("task that runs again: nothing of the attempt before", async () => {
    const { app, re } = await sent();
    await take(app);
    await store(app, re, { state: "RETRY", failure, eta: 5000, attempt: 1, endedAt: 4000, worker: "w0" });
    const { startedAt: _, leaseLeft: __, ...others } = await re.details();
    expect(others).toEqual({
      id: re.id,
      state: "STARTED",
      name: "tasks.a",
      queue: "default",
      worker: "w1",
      attempt: 1,
      retries: 0,
      delivery: 1,
    });
  });

  test("task that waits for a retry: when it is due", async () => {
    const { re } = await ended({ state: "RETRY", failure, eta: 5000 });
    expect(await re.details()).toMatchObject({ state: "RETRY", eta: new Date(5000), failure });
  });
});

describe("task that did not run because of another", () => {
  test("fails with the other's name and id", async () => {
    const origin = { id: newId(), task: "tasks.first" };
    const { re } = await ended({ state: "FAILURE", failure, origin });
    const error = await rejected(re.get());
    expect(String(error)).toBe(`TaskFailedError: tasks.first[${origin.id}] failed: OutOfStock: none left: underneath`);
    const revoked = await ended({ state: "REVOKED", reason: "no need", origin });
    expect(String(await rejected(revoked.re.get()))).toBe(`TaskRevokedError: tasks.first[${origin.id}] was revoked: no need`);
  });
});

describe("handles around a task", () => {
  test("parent: the handle that it was made with", () => {
    const app = testApp();
    const parent = app.asyncResult(newId());
    const re = new AsyncResult(sourceOf(app), { id: newId(), queues: [], own: true, parent });
    expect([re.parent, parent.parent]).toEqual([parent, undefined]);
  });

  test("children: found by ids", async () => {
    const app = testApp();
    const child = await app.sendTask("tasks.b");
    await store(app, child, { result: 7 });
    const { re } = await ended({ result: 1, children: [child.id] });
    const [found] = await re.children();
    expect(await found?.get()).toBe(7);
    expect(await child.children()).toEqual([]);
  });
});

describe("call of a flow that is not sent yet", () => {
  /** Its handle, from its sender and by its id. */
  async function unsent(app: App) {
    const id = newId();
    const flow = newId();
    await store(app, { id }, { state: "PENDING", delivery: 0, task: "tasks.a", queue: "later", flow, call: 3 });
    return { id, flow, re: new AsyncResult(sourceOf(app), { id, queues: ["later"], own: true }), byId: app.asyncResult(id) };
  }

  test("PENDING for every caller, who can wait for it", async () => {
    const app = testApp();
    const { re, byId } = await unsent(app);
    expect([await re.status(), await byId.status(), await re.ready()]).toEqual(["PENDING", "PENDING", false]);
    expect(await byId.details()).toMatchObject({ state: "PENDING", name: "tasks.a", queue: "later" });
    const gets = [re.get({ timeout: hangTimeout }), byId.get({ timeout: hangTimeout })];
    await expect(byId.get({ timeout: 300 })).rejects.toMatchObject({ code: "TASK_TIMEOUT" });
    await tell(app, re, { result: 7 });
    expect(await Promise.all(gets)).toEqual([7, 7]);
  });

  test("taken: STARTED, in the queue that the record names", async () => {
    const app = testApp();
    const { id, byId } = await unsent(app);
    await app.sendTask("tasks.a", [], { taskId: id, queue: "later" });
    expect(await byId.status()).toBe("PENDING");
    await take(app, "later");
    expect(await byId.status()).toBe("STARTED");
  });

  /**
   * `app` with an engine that has flows, each with one call that was sent, and what was called off
   * in them.
   */
  function withFlows(app: App, members: readonly string[] = []) {
    const revoked: unknown[] = [];
    const revokeFlow: BrokerFacets["flows"]["revoke"] = async (flow, calls) => {
      revoked.push([flow, calls]);
      return { ids: members, queues: ["members"] };
    };
    const engine = { ...app.engine, flows: { ...app.engine.flows, revoke: revokeFlow } };
    const source = sourceOf({ engine, options: app.options });
    return { source, revoked };
  }

  test("revoked: the flow remembers it", async () => {
    const app = testApp();
    const { id, flow, re: plain } = await unsent(app);
    const { source, revoked } = withFlows(app);
    const re = new AsyncResult(source, { id, queues: [], own: true });
    const get = rejected(re.get({ timeout: hangTimeout }));
    expect(await re.revoke({ reason: "no need" })).toBe(true);
    expect(revoked).toEqual([[flow, [3]]]);
    expect(String(await get)).toBe(`TaskRevokedError: tasks.a[${id}] was revoked: no need`);
    expect(await plain.status()).toBe("REVOKED");
  });

  test("result of the flow: revoking it revokes the whole flow", async () => {
    const app = testApp();
    const { id, flow } = await unsent(app);
    const member = await app.sendTask("tasks.m", [], { queue: "members" });
    const { source, revoked } = withFlows(app, [member.id, id]);
    const re = new AsyncResult(source, { id, queues: ["later"], own: true, flow });
    expect(await re.revoke()).toBe(true);
    expect(revoked).toEqual([[flow, "all"]]);
    expect(await member.status()).toBe("REVOKED");
  });

  test("replaced task: revoked with its replacement", async () => {
    const app = testApp();
    const replaced = await app.sendTask("tasks.a");
    const member = await app.sendTask("tasks.m", [], { queue: "members" });
    const flow = newId();
    await store(app, replaced, { state: "STARTED", flow });
    const { source, revoked } = withFlows(app, [member.id]);
    const re = new AsyncResult(source, { id: replaced.id, queues: ["default"], own: true });
    expect(await re.revoke()).toBe(true);
    expect(revoked).toEqual([[flow, "all"]]);
    expect([await re.status(), await member.status()]).toEqual(["REVOKED", "REVOKED"]);
  });
});

import { randomUUID } from "node:crypto";
import { newId } from "@bullrush/broker";
import { openRedis } from "@bullrush/broker/embedded";
import { createApp, TaskRevokedError, type App, type AppOptions } from "@bullrush/client";
import { createWorker, type WorkerOptions } from "@bullrush/worker";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterEach, expect, inject, test } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";

const open: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

/** Time for whatever is waited for, in ms. */
const patience = { timeout: hangTimeout };

/** The app of a producer, and those of workers, on one prefix. */
function stage(options: AppOptions = {}) {
  const prefix = `revoking-${randomUUID()}`;
  const appOf = (more: AppOptions = {}): App => {
    const app = createApp({ broker: inject("redisUrl"), prefix, ...options, ...more });
    open.push(() => app.close());
    return app;
  };
  const producer = appOf();
  const counts = async () => {
    const [{ waiting, delayed, active, failed } = { waiting: 0, delayed: 0, active: 0, failed: 0 }] = await producer.engine.queues.counts([
      "default",
    ]);
    return { waiting, delayed, active, failed };
  };
  return { prefix, appOf, producer, counts };
}

/** A worker, with the lines that it writes. */
async function start(app: App, options: WorkerOptions = {}) {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: "info", base: null },
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const worker = createWorker(app, { log, ...options });
  open.push(() => worker.stop(AbortSignal.abort()));
  await worker.start();
  const linesOf = (msg: string) => lines.filter((line) => line["msg"] === msg);
  return { worker, lines, linesOf };
}

/** Declares a task that ends when it is asked to, and returns normally. */
function obedient(app: App) {
  const begun: string[] = [];
  const reasons: unknown[] = [];
  const task = app.task("tasks.long", async function () {
    begun.push(this.id);
    await new Promise<void>((resolve) => this.signal.addEventListener("abort", () => resolve(), { once: true }));
    reasons.push(this.signal.reason);
    return "done all the same";
  });
  return { task, begun, reasons };
}

test("revoke while it runs, two workers: the right one asks it to end, and its result does not count", async () => {
  const { appOf, producer, counts } = stage();
  const apps = [appOf(), appOf()];
  const tasks = apps.map(obedient);
  // So long that no renewal brings the command.
  const workers = await Promise.all(apps.map((app) => start(app, { lease: "1h" })));
  const listening = async () => {
    const redis = new Redis(inject("redisUrl"), { replyMapping: "legacy" });
    const [, count] = (await redis.pubsub("NUMSUB", `bullrush:control:${producer.options.prefix}`)) as [string, number];
    redis.disconnect();
    return count;
  };
  await expect.poll(listening, patience).toBe(2);
  const re = await producer.sendTask("tasks.long");
  await expect.poll(() => tasks.flatMap(({ begun }) => begun), patience).toEqual([re.id]);

  expect(await re.revoke({ reason: "not needed" })).toBe(true);
  await expect.poll(() => tasks.flatMap(({ reasons }) => reasons), patience).toHaveLength(1);
  const [reason] = tasks.flatMap(({ reasons }) => reasons);
  expect(reason).toBeInstanceOf(TaskRevokedError);
  expect(reason).toMatchObject({ message: `tasks.long[${re.id}] was revoked: not needed` });
  await expect.poll(counts, patience).toEqual({ waiting: 0, delayed: 0, active: 0, failed: 1 });
  expect(await re.get({ propagate: false })).toEqual({ state: "REVOKED", reason: "not needed" });
  const lines = workers.flatMap(({ linesOf }) => linesOf("revoked"));
  expect(lines).toMatchObject([{ level: 40, task: "tasks.long", id: re.id, reason: "not needed", ms: expect.any(Number) as number }]);
  expect(workers.flatMap(({ linesOf }) => [...linesOf("succeeded"), ...linesOf("failed")])).toEqual([]);
});

test("worker that missed the command: learns of it when it renews its leases", async () => {
  const { appOf, producer, counts } = stage();
  const app = appOf();
  const { begun, reasons } = obedient(app);
  const { linesOf } = await start(app, { lease: "1500ms" });
  const re = await producer.sendTask("tasks.long");
  await expect.poll(() => begun.length, patience).toBe(1);
  // Only the mark is set: no worker gets a command.
  await producer.engine.queues.revoke([re.id], ["default"], { reason: "by mark", terminate: false });
  await expect.poll(() => reasons.length, patience).toBe(1);
  expect(await re.get({ propagate: false })).toEqual({ state: "REVOKED", reason: "by mark" });
  await expect.poll(counts, patience).toMatchObject({ active: 0, failed: 1 });
  expect(linesOf("revoked")).toHaveLength(1);
});

test("worker without the right to subscribe: warns, keeps working, and learns of revocations when it renews leases", async () => {
  const server = await openRedis();
  open.push(() => server.stop());
  const admin = new Redis(server.url, { replyMapping: "legacy" });
  await admin.acl("SETUSER", "worker", "on", ">pw", "~*", "+@all", "resetchannels", "&bullrush:reply:*");
  admin.disconnect();
  const { appOf, producer } = stage({ broker: server.url });
  const url = new URL(server.url);
  [url.username, url.password] = ["worker", "pw"];
  const app = appOf({ broker: url.href });
  const { begun, reasons } = obedient(app);
  const { linesOf } = await start(app, { lease: "1500ms" });
  const re = await producer.sendTask("tasks.long");
  await expect.poll(() => begun.length, patience).toBe(1);
  expect(await re.revoke()).toBe(true);
  await expect.poll(() => reasons.length, patience).toBe(1);
  expect(linesOf("not listening for control messages")).toMatchObject([{ reason: expect.stringContaining("NOPERM") as string }]);
});

test("revoke without a worker: the function is not called later, whether waiting, delayed, or of a worker that died", async () => {
  const { appOf, producer, counts } = stage();
  const lost = await producer.sendTask("tasks.long");
  const dead = producer.engine.consume({ queues: [{ name: "default" }], order: "strict", lease: 1000, worker: "dead" });
  expect((await dead.settleAndTake({ settle: [], take: 1 })).deliveries).toMatchObject([{ id: lost.id }]);
  const sent = [
    lost,
    await producer.sendTask("tasks.long"),
    await producer.sendTask("tasks.long", [], { countdown: 500 }),
    await producer.sendTask("tasks.long", [], { ignoreResult: true }),
    await producer.sendTask("tasks.nobody-has-it"),
  ];
  expect(await producer.revoke(sent.map(({ id }) => id))).toEqual(sent.map(() => true));
  await dead.close();
  const app = appOf();
  const { begun } = obedient(app);
  const { linesOf } = await start(app, { lease: "1500ms" });
  await expect.poll(counts, patience).toEqual({ waiting: 0, delayed: 0, active: 0, failed: 5 });
  expect(begun).toEqual([]);
  expect(linesOf("revoked")).toHaveLength(sent.length);
  expect(new Set(linesOf("revoked").map(({ id }) => id))).toEqual(new Set(sent.map(({ id }) => id)));
  expect(linesOf("not run")).toEqual([]);
  for (const { id } of sent) expect(await producer.asyncResult(id).status()).toBe("REVOKED");
});

test("revoke before it is sent: the function is not called, whether or not its result is stored", async () => {
  const { appOf, producer, counts } = stage();
  const ids = [newId(), newId()];
  // Nobody knows them yet.
  expect(await producer.revoke(ids)).toEqual([false, false]);
  for (const [index, taskId] of ids.entries()) await producer.sendTask("tasks.long", [], { taskId, ignoreResult: index === 1 });
  const app = appOf();
  const { begun } = obedient(app);
  await start(app);
  await expect.poll(counts, patience).toEqual({ waiting: 0, delayed: 0, active: 0, failed: 2 });
  expect(begun).toEqual([]);
});

test("revoke of a task that ignores its signal: revoked when it ends; with terminate, its slot is free at once", async () => {
  const { appOf, producer, counts } = stage();
  const app = appOf();
  const ends: (() => void)[] = [];
  app.task("tasks.deaf", () => new Promise<void>((resolve) => void ends.push(resolve)));
  app.task("tasks.quick", () => "quick");
  const { linesOf } = await start(app, { concurrency: 1, lease: "1500ms" });
  const deaf = await producer.sendTask("tasks.deaf");
  const quick = await producer.sendTask("tasks.quick");
  await expect.poll(() => ends.length, patience).toBe(1);
  expect(await deaf.revoke()).toBe(true);
  expect(await deaf.status()).toBe("REVOKED");
  expect(await counts()).toMatchObject({ waiting: 1, active: 1 });
  expect(await deaf.revoke({ terminate: true })).toBe(true);
  expect(await quick.get({ timeout: hangTimeout })).toBe("quick");
  expect(await counts()).toMatchObject({ active: 0, failed: 1 });
  ends[0]?.();
  const next = await producer.sendTask("tasks.quick");
  expect(await next.get({ timeout: hangTimeout })).toBe("quick");
  expect(linesOf("revoked")).toHaveLength(1);
});

test("revoke while it waits to run alone: the function is not called", async () => {
  const { appOf, producer, counts } = stage();
  const risky = await producer.sendTask("tasks.risky");
  const dead = producer.engine.consume({ queues: [{ name: "default" }], order: "strict", lease: 1000, worker: "dead" });
  expect((await dead.settleAndTake({ settle: [], take: 1 })).deliveries).toMatchObject([{ id: risky.id }]);
  await dead.close();
  const app = appOf();
  let begun = 0;
  app.task("tasks.risky", { maxCrashes: 2 }, () => void begun++);
  const other = obedient(app);
  const { linesOf } = await start(app, { lease: "1500ms", concurrency: 2 });
  const long = await producer.sendTask("tasks.long");
  await expect.poll(() => other.begun, patience).toEqual([long.id]);
  await expect.poll(counts, patience).toMatchObject({ active: 2, waiting: 0 });
  await expect.poll(() => linesOf("tasks of a lost worker put back").length, patience).toBe(1);
  await expect.poll(async () => [await risky.status(), (await counts()).active], patience).toEqual(["STARTED", 2]);
  expect(await risky.revoke()).toBe(true);
  await expect.poll(counts, patience).toEqual({ waiting: 0, delayed: 0, active: 1, failed: 1 });
  expect([begun, other.reasons]).toEqual([0, []]);
});

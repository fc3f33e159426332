import { newId } from "@bullrush/broker";
import { chord, createApp, type App, type Middleware, type PublishCall } from "@bullrush/client";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { createWorker, type Worker } from "../../src/index.js";

type Told = readonly [hook: string, what: string];

/** An app in memory, and what its hooks were told: of tasks their names, of workers their queues. */
function open(...layers: readonly Middleware[]): { readonly app: App; readonly told: readonly Told[] } {
  const app = createApp({ broker: "memory://" });
  onTestFinished(() => app.close());
  const told: Told[] = [];
  const noted = (hook: string) => (event: { readonly execution: { readonly task: string } }) =>
    void told.push([hook, event.execution.task]);
  for (const layer of layers) app.use(layer);
  app.use({
    name: "told",
    on: {
      sent: ({ call }) => void told.push(["sent", call.task]),
      started: noted("started"),
      succeeded: noted("succeeded"),
      failed: noted("failed"),
      retried: noted("retried"),
      revoked: noted("revoked"),
      rejected: noted("rejected"),
      workerReady: ({ queues }) => void told.push(["workerReady", queues.join()]),
      workerStopping: ({ queues }) => void told.push(["workerStopping", queues.join()]),
    },
  });
  return { app, told };
}

async function work(app: App, lines: unknown[] = []): Promise<Worker> {
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const worker = createWorker(app, { log, name: "w" });
  onTestFinished(async () => void (await worker.stop(AbortSignal.abort())));
  await worker.start();
  return worker;
}

const patience = { timeout: "20s" } as const;
const failure = (error: unknown): unknown => (error as { cause: unknown }).cause;
const of = (told: readonly Told[], ...hooks: readonly string[]) => told.filter(([hook]) => hooks.includes(hook));

/** A middleware that refuses to send `task`. */
const refusing = (task: string): Middleware => ({
  name: "refusing",
  publish: (calls, next) => (calls.some((call) => call.task === task) ? Promise.reject(new RangeError(`no ${task}`)) : next(calls)),
});

test("a worker that starts and stops: hooks are told of both, in this order", async () => {
  const { app, told } = open();
  app.task("add", () => 3);
  const worker = await work(app);
  await (await app.sendTask("add")).get(patience);
  await worker.stop();
  expect(told).toEqual([
    ["workerReady", "default"],
    ["sent", "add"],
    ["started", "add"],
    ["succeeded", "add"],
    ["workerStopping", "default"],
  ]);
});

test("a worker that is stopped before it has started: hooks are told of neither", async () => {
  const { app, told } = open();
  const worker = createWorker(app, { log: pino({ level: "silent" }) });
  await worker.stop();
  expect(told).toEqual([]);
});

test("a replacement that a middleware refuses: the task fails with that error, and nothing of the replacement is sent", async () => {
  const { app, told } = open(refusing("inner"));
  app.task("inner", () => 3);
  app.task("outer", function () {
    return this.replace(app.signature("inner"));
  });
  await work(app);
  const result = await app.sendTask("outer");
  const error = await result.get(patience).catch((thrown: unknown) => thrown);
  expect(failure(error)).toMatchObject({ name: "RangeError", message: "no inner" });
  expect(told.slice(1)).toEqual([
    ["sent", "outer"],
    ["started", "outer"],
    ["failed", "outer"],
  ]);
});

test("a member that is added to a chord: publish sees it alone, what it changes arrives, and the hook hears of it", async () => {
  const seen: (readonly PublishCall[])[] = [];
  const tagging: Middleware = {
    name: "tagging",
    publish: (calls, next) => {
      seen.push(calls);
      return next(calls.map((call) => ({ ...call, headers: { ...call.headers, tag: call.task } })));
    },
  };
  const { app, told } = open(tagging);
  app.task("member", function () {
    return this.headers["tag"];
  });
  app.task("adds", async function () {
    await this.addToChord(app.signature("member"));
    return "adds";
  });
  app.task("body", (values: unknown[]) => values);
  await work(app);
  expect(await (await chord([app.signature("adds")], app.signature("body")).delay()).get(patience)).toEqual(["adds", "member"]);
  expect(seen.map((calls) => calls.map(({ task }) => task).toSorted())).toEqual([["adds", "body"], ["member"]]);
  expect(of(told, "sent").at(-1)).toEqual(["sent", "member"]);
});

test("a member of a chord that a middleware refuses: addToChord rejects with that error, and the chord goes on without it", async () => {
  const { app, told } = open(refusing("member"));
  app.task("member", () => "member");
  app.task("adds", async function () {
    return this.addToChord(app.signature("member")).then(
      () => "added",
      (error: Error) => error.message,
    );
  });
  app.task("body", (values: unknown[]) => values);
  await work(app);
  expect(await (await chord([app.signature("adds")], app.signature("body")).delay()).get(patience)).toEqual(["no member"]);
  expect(of(told, "sent").map(([, task]) => task)).not.toContain("member");
});

test("a task whose middleware calls next twice: the task fails and says so, its function is called once, and hooks are told once", async () => {
  const { app, told } = open({
    name: "twice",
    execute: async (execution, next) => {
      await next(execution);
      return next(execution);
    },
  });
  let calls = 0;
  app.task("count", () => ++calls);
  await work(app);
  const error = await (await app.sendTask("count")).get(patience).catch((thrown: unknown) => thrown);
  expect(failure(error)).toMatchObject({ code: "INVALID_OPTION", message: expect.stringContaining('middleware "twice"') as string });
  expect(calls).toBe(1);
  expect(of(told, "failed", "succeeded")).toEqual([["failed", "count"]]);
});

test("hooks that throw, reject or never end: the task succeeds, the others are told, and the worker warns", async () => {
  const lines: { readonly msg: string }[] = [];
  const { app, told } = open({
    name: "broken",
    on: {
      started: () => new Promise(() => undefined),
      received: () => {
        throw new Error("thrown");
      },
      succeeded: () => Promise.reject(new Error("rejected")),
    },
  });
  app.task("add", () => 3);
  await work(app, lines);
  expect(await (await app.sendTask("add")).get(patience)).toBe(3);
  await expect.poll(() => lines.map(({ msg }) => msg)).toContain('the hook "succeeded" of middleware "broken" failed');
  expect(lines.map(({ msg }) => msg)).toContain('the hook "received" of middleware "broken" failed');
  expect(of(told, "started", "succeeded")).toEqual([
    ["started", "add"],
    ["succeeded", "add"],
  ]);
});

test("messages that do not run: hooks are told how they ended, and not that they started", async () => {
  const { app, told } = open();
  for (const task of ["late", "called-off"]) app.task(task, () => 3);
  await app.sendTask("late", [], { expires: new Date(0) });
  await (await app.sendTask("called-off")).revoke();
  await work(app);
  await expect.poll(() => new Set(of(told, "revoked").map(([, task]) => task))).toEqual(new Set(["called-off", "late"]));
  expect(of(told, "started")).toEqual([]);
});

test("a task that rejects, and one that is retried and then fails: each end is told under its own name", async () => {
  const { app, told } = open();
  app.task("rejects", function () {
    return this.reject();
  });
  app.task("fails", { autoRetryFor: Error, maxRetries: 1, retryDelay: 0 }, () => Promise.reject(new Error("no")));
  await work(app);
  for (const task of ["rejects", "fails"]) await (await app.sendTask(task)).get(patience).catch(() => undefined);
  expect(of(told, "rejected", "failed", "retried")).toEqual([
    ["rejected", "rejects"],
    ["retried", "fails"],
    ["failed", "fails"],
  ]);
});

test("a replacement that is not sent, because its task is asked to end meanwhile: the hook sent is not told", async () => {
  const { app, told } = open();
  const id = newId();
  const message = { id, task: "outer", args: [], headers: {}, priority: 0, retries: 0, rootId: id };
  const flow = app.replacementOf(app.signature("inner"), message, "default");
  for (const isSent of [false, true]) {
    expect(await app.surroundReplacement(flow, async () => isSent)).toBe(isSent);
    expect(told).toEqual(isSent ? [["sent", "inner"]] : []);
  }
});

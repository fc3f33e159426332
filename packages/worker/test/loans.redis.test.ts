import { newId } from "@bullrush/broker";
import { chain, createApp, group, type App } from "@bullrush/client";
import { pino } from "pino";
import { expect, inject, it, onTestFinished } from "vitest";
import { until } from "../../../integration/lib/until.js";
import { createWorker } from "../src/index.js";

/** An app of which only routes and tasks name queues, with a worker, and another process's app that knows none of them. */
async function stage() {
  const prefix = newId();
  const open = (options: object = {}): App => {
    const opened = createApp({ broker: inject("redisUrl"), prefix, ...options });
    onTestFinished(() => opened.close());
    return opened;
  };
  const app = open({ routes: { "routed.*": "routed" } });
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const wait = async (value?: unknown) => {
    await released;
    return value;
  };
  const tasks = {
    routed: app.task("routed.wait", wait),
    declared: app.task("declared.wait", { queue: "declared" }, wait),
    quick: app.task("quick", () => "quick"),
    again: app.task("again", { autoRetryFor: Error, retryDelay: 1, queue: "retries" }, async function () {
      if (this.attempt < 2) throw new Error("once more");
      await released;
      return this.attempt;
    }),
  };
  const worker = createWorker(app, { log: pino({ level: "silent" }), name: "w1" });
  onTestFinished(async () => {
    release();
    await worker.stop(AbortSignal.abort());
  });
  await worker.start();
  return { app, other: open(), tasks };
}

type Opened = Awaited<ReturnType<typeof stage>>;

it.each<[what: string, send: (opened: Opened) => Promise<string>, facts: object]>([
  ["a plain one", async ({ tasks }) => (await tasks.routed.delay()).id, { name: "routed.wait", queue: "routed", attempt: 1, delivery: 1 }],
  [
    "one that stores no result",
    async ({ tasks }) => (await tasks.declared.applyAsync([], { ignoreResult: true })).id,
    { name: "declared.wait", queue: "declared", attempt: 1, delivery: 1 },
  ],
  [
    "one with a priority, sent by its name",
    async ({ app }) => (await app.sendTask("routed.wait", [], { priority: 5 })).id,
    { name: "routed.wait", queue: "routed" },
  ],
  [
    "one that runs for the second time",
    async ({ tasks }) => (await tasks.again.delay()).id,
    { queue: "retries", attempt: 2, retries: 1, delivery: 2 },
  ],
  [
    "the second step of a chain",
    async ({ tasks }) => (await chain(tasks.quick.s(), tasks.declared.s()).delay()).id,
    { name: "declared.wait", queue: "declared", attempt: 1, delivery: 1 },
  ],
  [
    "a member of a group",
    async ({ tasks }) => [...(await group([tasks.routed.s(1), tasks.declared.s(2)]).delay())][1]?.id ?? "",
    { name: "declared.wait", queue: "declared" },
  ],
])("of %s that runs, another process knows who runs it, by its id", async (_, send, facts) => {
  const opened = await stage();
  const re = opened.other.asyncResult(await send(opened));
  const details = await until(async () => {
    const found = await re.details();
    expect(found).toMatchObject({ ...facts, state: "STARTED", worker: "w1" });
    return found;
  });
  expect(details.startedAt).toBeInstanceOf(Date);
  expect(details.leaseLeft).toBeGreaterThan(0);
});

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { createApp, type App, type AppOptions } from "@bullrush/client";
import { describe, expect, it } from "vitest";
import { compiledFixture } from "../lib/fixture.js";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { startWorker, type WorkerProcess } from "../lib/task-worker.js";
import { makeProject } from "../lib/project.js";
import { redisUrl } from "../lib/redis-url.js";
import { deadPort } from "../lib/server.js";

const fixture = compiledFixture("fixtures/tasks.ts", import.meta.url);

/** A producer, and what makes the fixture's app use the same keys and queues. */
function sides(queues: readonly string[], options: AppOptions = {}): { readonly app: App; readonly env: Record<string, string> } {
  const prefix = `queues-${randomUUID()}`;
  const app = createApp({ broker: redisUrl(), prefix, queues, defaultQueue: queues[0] ?? "one", ...options });
  return { app, env: { FIXTURE_PREFIX: prefix, FIXTURE_QUEUES: queues.join(",") } };
}

async function send(app: App, queue: string, times = 1): Promise<void> {
  for (let sent = 0; sent < times; sent++) await app.sendTask("fixture.add", [1, 2], { queue });
}

/** The queues of the first `count` tasks, in the order in which they were taken. */
async function queuesTaken(worker: WorkerProcess, count: number): Promise<readonly unknown[]> {
  const taken = () => worker.entries.filter(({ msg }) => msg === "received");
  await eventually(`${count} tasks are taken`, () => taken().length >= count);
  return taken().map(({ queue }) => queue);
}

describe("task-worker takes", () => {
  it("from all declared queues, without -Q", async () => {
    const { app, env } = sides(["one", "two", "three"]);
    await using _ = app;
    for (const queue of ["one", "two", "three"]) await send(app, queue);
    await using worker = startWorker({ app: fixture, env });
    expect(new Set(await queuesTaken(worker, 3))).toEqual(new Set(["one", "two", "three"]));
    expect(worker.entries[0]).toMatchObject({ queues: ["one", "two", "three"] });
  });

  it("from the queues of -Q alone, undeclared ones included", async () => {
    const { app, env } = sides(["one", "two"]);
    await using _ = app;
    await send(app, "one");
    await using worker = startWorker({ app: fixture, args: ["-Q", "two,brand_new"], env });
    await worker.ready;
    await send(app, "brand_new");
    await send(app, "two");
    expect(new Set(await queuesTaken(worker, 2))).toEqual(new Set(["two", "brand_new"]));
    await worker.stop();
    expect(worker.entries[0]).toMatchObject({ queues: ["two", "brand_new"] });
    expect(await app.engine.queues.counts(["one", "two", "brand_new"])).toMatchObject([{ waiting: 1 }, { waiting: 0 }, { waiting: 0 }]);
  });

  it("not from the queues of -X", async () => {
    const { app, env } = sides(["one", "two", "three"]);
    await using _ = app;
    for (const queue of ["one", "two", "three"]) await send(app, queue);
    await using worker = startWorker({ app: fixture, args: ["-X", "one,three"], env });
    expect(await queuesTaken(worker, 1)).toEqual(["two"]);
    await worker.stop();
    expect(await app.engine.queues.counts(["one", "two", "three"])).toMatchObject([{ waiting: 1 }, { waiting: 0 }, { waiting: 1 }]);
  });

  it("by weight, with -Q one:3,two:1", async () => {
    const { app, env } = sides(["one", "two"]);
    await using _ = app;
    await send(app, "one", 6);
    await send(app, "two", 6);
    await using worker = startWorker({ app: fixture, args: ["-Q", "one:3,two:1", "-c", "1"], env });
    const first = (await queuesTaken(worker, 8)).slice(0, 8);
    expect(first.filter((queue) => queue === "one")).toHaveLength(6);
    expect(first.slice(0, 4)).toContain("two");
  });

  it("in turn by default, and in the given order with --order strict", async () => {
    const orders = { "round-robin": ["one", "two", "one", "two", "one", "two"], strict: ["two", "two", "two", "one", "one", "one"] };
    for (const [order, expected] of Object.entries(orders)) {
      const { app, env } = sides(["one", "two"]);
      await using _ = app;
      await send(app, "one", 3);
      await send(app, "two", 3);
      await using worker = startWorker({
        app: fixture,
        args: ["-Q", order === "strict" ? "two,one" : "one,two", "-c", "1", "--order", order],
        env,
      });
      expect(await queuesTaken(worker, 6)).toEqual(expected);
    }
  });

  it("at most -c at once, over all queues", async () => {
    const { app, env } = sides(["one", "two"]);
    await using _ = app;
    for (const queue of ["one", "two", "one", "two"]) await app.sendTask("fixture.hold", [], { queue });
    await using worker = startWorker({
      app: fixture,
      args: ["-c", "2", "--shutdown-timeout", "0"],
      env: { ...env, FIXTURE_HOLD: "60000" },
    });
    await eventually("two hold", () => worker.entries.filter(({ msg }) => msg === "holding").length === 2);
    const counts = await app.engine.queues.counts(["one", "two"]);
    expect(counts.reduce((sum, { active }) => sum + active, 0)).toBe(2);
    expect(counts.reduce((sum, { waiting }) => sum + waiting, 0)).toBe(2);
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
    expect(worker.entries.filter(({ msg }) => msg === "holding")).toHaveLength(2);
  });
});

describe("-n", () => {
  it("names the worker, in its logs and in results", async () => {
    const { app, env } = sides(["one"]);
    await using _ = app;
    await using worker = startWorker({ app: fixture, args: ["-n", "first-%p@%h"], env });
    const result = await app.sendTask("fixture.hold");
    const name = `first-${worker.pid}@${hostname()}`;
    expect(await result.get({ timeout: hangTimeout })).toEqual({ attempt: 1, worker: name });
    expect(await result.worker()).toBe(name);
    expect(worker.entries[0]).toMatchObject({ worker: name });
  });
});

describe("--purge", () => {
  it("removes the waiting and delayed messages of its queues, and nothing else", async () => {
    const { app, env } = sides(["one", "two", "three"]);
    await using _ = app;
    await send(app, "one", 2);
    await app.sendTask("fixture.add", [1, 2], { queue: "one", countdown: "1h" });
    await send(app, "two");
    await send(app, "three");
    await using worker = startWorker({ app: fixture, args: ["-Q", "one,two", "--purge", "--yes"], env });
    await worker.ready;
    expect(worker.entries.filter(({ msg }) => msg === "purged")).toMatchObject([
      { level: 40, queue: "one", removed: 3 },
      { level: 40, queue: "two", removed: 1 },
    ]);
    const kept = await app.sendTask("fixture.add", [1, 2], { queue: "one" });
    expect(await kept.get({ timeout: hangTimeout })).toBe(3);
    await worker.waitForEntry({ msg: "received" });
    expect(worker.entries.filter(({ msg }) => msg === "received")).toHaveLength(1);
    expect(await app.engine.queues.counts(["one", "three"])).toMatchObject([{ waiting: 0, delayed: 0 }, { waiting: 1 }]);
  });
});

describe("broker and result backend", () => {
  const tasks = (options: string) => `
    import { createApp } from "@bullrush/client";
    export const app = createApp({ prefix: process.env.PREFIX, ${options} });
    app.task("sum", (a, b) => a + b);
  `;

  /** A task is sent through database 1, and its result is in database 2. */
  async function expectOneAndTwo(project: { readonly directory: string }, start: Parameters<typeof startWorker>[0]): Promise<void> {
    const prefix = `places-${randomUUID()}`;
    const [broker, backend] = [redisUrl(1), redisUrl(2)];
    await using app = createApp({ broker, backend, prefix });
    await using elsewhere = createApp({ broker, backend: broker, prefix });
    await using worker = startWorker({ ...start, cwd: project.directory, env: { PREFIX: prefix, ...start.env } });
    const result = await app.sendTask("sum", [1, 2]);
    expect(await result.get({ timeout: hangTimeout })).toBe(3);
    expect(await elsewhere.asyncResult(result.id).ready()).toBe(false);
    expect(worker.entries[0]).toMatchObject({
      broker: expect.stringMatching(/\/1$/) as string,
      backend: expect.stringMatching(/\/2$/) as string,
    });
  }

  it("come from the flags before the app and the environment", async () => {
    const wrong = `redis://127.0.0.1:${deadPort}`;
    using project = makeProject({ "tasks.mjs": tasks(`broker: "${wrong}", backend: "${wrong}"`) });
    await expectOneAndTwo(project, {
      args: ["--broker", redisUrl(1), "--result-backend", redisUrl(2)],
      env: { BULLRUSH_BROKER_URL: wrong, BULLRUSH_RESULT_BACKEND: wrong },
    });
  });

  it("come from the app before the environment", async () => {
    const wrong = `redis://127.0.0.1:${deadPort}`;
    using project = makeProject({ "tasks.mjs": tasks(`broker: "${redisUrl(1)}", backend: "${redisUrl(2)}"`) });
    await expectOneAndTwo(project, { env: { BULLRUSH_BROKER_URL: wrong, BULLRUSH_RESULT_BACKEND: wrong } });
  });

  it("are those of the environment, for an app that sets nothing", async () => {
    using project = makeProject({ "tasks.mjs": tasks("") });
    await expectOneAndTwo(project, { env: { BULLRUSH_BROKER_URL: redisUrl(1), BULLRUSH_RESULT_BACKEND: redisUrl(2) } });
  });

  it("are one, for --broker alone", async () => {
    using project = makeProject({ "tasks.mjs": tasks("") });
    await using worker = startWorker({ cwd: project.directory, args: ["--broker", redisUrl(3)], env: { PREFIX: `one-${randomUUID()}` } });
    await worker.ready;
    expect(worker.entries[0]).toMatchObject({
      broker: expect.stringMatching(/\/3$/) as string,
      backend: expect.stringMatching(/\/3$/) as string,
    });
  });
});

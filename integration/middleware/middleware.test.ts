import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chain, chord, createApp } from "@bullrush/client";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { compiledFixture } from "../lib/fixture.js";
import { long } from "../lib/long.js";
import { startWorker } from "../lib/task-worker.js";
import { redisUrl } from "../lib/redis-url.js";

const fixture = compiledFixture("fixtures/tasks.ts", import.meta.url);

type Line = Readonly<Record<string, unknown>>;

/** A producer without middleware, a worker with three, and all that these have seen. */
async function open(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const prefix = `middleware-${randomUUID()}`;
  const folder = await mkdtemp(join(tmpdir(), "bullrush-middleware-"));
  const file = join(folder, "seen");
  const app = createApp({ broker: redisUrl(), prefix, queues: ["one"], defaultQueue: "one" });
  const worker = startWorker({ app: fixture, args, env: { FIXTURE_PREFIX: prefix, FIXTURE_FILE: file, ...env } });
  onTestFinished(async () => {
    await Promise.all([app.close(), worker.kill()]);
    await rm(folder, { recursive: true });
  });
  const seen = async (fields: Line): Promise<readonly Line[]> => {
    const text = await readFile(file, "utf8").catch(() => "");
    const lines = text.split("\n").slice(0, -1);
    const all = lines.map((line) => JSON.parse(line) as Line);
    return all.filter((line) => Object.entries(fields).every(([field, value]) => line[field] === value));
  };
  return { app, worker, seen };
}

const until = (holds: () => Promise<void>) => vi.waitFor(holds, { timeout: 30_000, interval: 20 });
const names = (lines: readonly Line[]) => lines.map(({ name }) => name);
const headers = { tenant: "t1" };
const patience = { timeout: "60s" } as const;

// Threads and processes run the same code in a runner.
describe.each(long ? ["inline", "threads", "processes"] : ["inline", "processes"])("a worker with the pool %s", (pool) => {
  it("three middleware: each surrounds each run, in the process that runs it, with its asynchronous context", async () => {
    const { app, seen } = await open(["-P", pool, "-c", "1"]);
    const result = await app.sendTask("tenant", [], { headers });
    expect(await result.get(patience)).toEqual(["t1", "t1"]);
    expect(names(await seen({ kind: "execute", task: "tenant", outcome: "succeeded" }))).toEqual(["c", "b", "a"]);
    await until(async () => expect(names(await seen({ kind: "succeeded" }))).toEqual(["a", "b", "c"]));
    const [run] = await seen({ kind: "execute" });
    const [hook] = await seen({ kind: "succeeded" });
    expect(run?.["pid"] === hook?.["pid"]).toBe(pool !== "processes");
  });

  it("retries: each attempt is seen, and the header travels", async () => {
    const { app, seen } = await open(["-P", pool, "-c", "1"]);
    expect(await (await app.sendTask("again", [], { headers })).get(patience)).toBe("t1");
    const runs = await seen({ name: "a", kind: "execute", task: "again", tenant: "t1" });
    expect(runs.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, "retried"],
      [2, "retried"],
      [3, "succeeded"],
    ]);
    await until(async () => expect(await seen({ name: "a", kind: "retried" })).toHaveLength(2));
  });

  it("a task that sends another: its call is seen, and the tenant travels by the asynchronous context", async () => {
    const { app, seen } = await open(["-P", pool, "-c", "1"]);
    const id = await (await app.sendTask<string>("sends", [], { headers })).get(patience);
    expect(await app.asyncResult(id).get(patience)).toEqual(["t1", "t1"]);
    expect(names(await seen({ kind: "publish", task: "tenant" }))).toEqual(["a", "b", "c"]);
  });

  it("a task that replaces itself: the calls of its canvas are seen, and have its headers", async () => {
    const { app, seen } = await open(["-P", pool, "-c", "1"]);
    expect(await (await app.sendTask("replaced", [], { headers })).get(patience)).toEqual(["t1", "t1"]);
    expect(names(await seen({ kind: "publish", tenant: "t1" }))).toEqual(["a", "a", "b", "b", "c", "c"]);
  });

  it("a middleware that throws: the task fails as if its function had thrown it", async () => {
    const { app, seen } = await open(["-P", pool, "-c", "1"]);
    for (const [task, message] of [
      ["closed", "not today"],
      ["late", "too late"],
    ] as const) {
      const error = await (await app.sendTask(task)).get(patience).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ cause: { name: "RangeError", message } });
      expect(await seen({ name: "a", kind: "execute", task, outcome: "failed" })).toHaveLength(1);
    }
    await until(async () => expect(names(await seen({ kind: "failed" }))).toEqual(["a", "b", "c", "a", "b", "c"]));
  });
});

it("hooks that throw, reject or hang: every task runs, and the worker logs them", async () => {
  const { app, worker } = await open(["-P", "inline", "-c", "2"]);
  for (let count = 0; count < 5; count++) await (await app.sendTask("tenant")).get(patience);
  const said = (hook: string) => worker.entries.filter(({ msg }) => msg === `the hook "${hook}" of middleware "broken hook" failed`);
  await until(async () => {
    expect(said("received")).toMatchObject([{ reason: "a hook that throws" }]);
    expect(said("succeeded")).toMatchObject([{ reason: "a hook that rejects" }]);
  });
});

it("canvases: publish sees each member, and each has the header", async () => {
  const { app, seen } = await open(["-P", "inline", "-c", "2"]);
  const member = () => app.signature("tenant");
  await (await chord([member(), member()], member()).stamp(headers).delay()).get(patience);
  await (await chain(member(), member()).stamp(headers).delay()).get(patience);
  expect(await seen({ name: "a", kind: "execute", task: "tenant", tenant: "t1" })).toHaveLength(5);
});

it("a task that rejects its message, and one that has expired: their hooks are called", async () => {
  const { app, seen } = await open(["-P", "inline", "-c", "1"]);
  await (await app.sendTask("rejects")).get(patience).catch(() => undefined);
  await (await app.sendTask("tenant", [], { expires: new Date(0) })).get(patience).catch(() => undefined);
  await until(async () => {
    expect(names(await seen({ kind: "rejected", task: "rejects" }))).toEqual(["a", "b", "c"]);
    expect(names(await seen({ kind: "revoked", task: "tenant" }))).toEqual(["a", "b", "c"]);
  });
  expect(await seen({ kind: "failed" })).toEqual([]);
});

it("ticks of a beat: three middleware see each, and their header arrives", async () => {
  const { seen } = await open(["-P", "inline", "-c", "1", "-B"], { FIXTURE_BEAT: "1" });
  await until(async () => {
    expect((await seen({ kind: "publish", task: "tenant" })).slice(0, 3).map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect((await seen({ name: "a", kind: "execute", task: "tenant", tenant: "none" })).length).toBeGreaterThan(0);
  });
});

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { createApp, type App } from "@bullrush/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compiledFixture } from "../lib/fixture.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { long } from "../lib/long.js";
import { startWorker, type WorkerProcess } from "../lib/task-worker.js";
import { startProgram, type Entry } from "../lib/program.js";
import { redisUrl } from "../lib/redis-url.js";

const fixture = compiledFixture("fixtures/output.ts", import.meta.url);
const taskBeat = fileURLToPath(new URL("../../packages/beat/bin/task-beat.js", import.meta.url));
const patience = { timeout: hangTimeout } as const;

interface Scene extends AsyncDisposable {
  readonly app: App;
  readonly worker: WorkerProcess;
}

function scene(...args: readonly string[]): Scene {
  const prefix = `output-${randomUUID()}`;
  const app = createApp({ broker: redisUrl(), prefix, queues: ["one"], defaultQueue: "one" });
  const worker = startWorker({ app: fixture, args: ["-n", "speaker", ...args], env: { FIXTURE_PREFIX: prefix } });
  return { app, worker, [Symbol.asyncDispose]: async () => void (await Promise.all([app.close(), worker.kill()])) };
}

/** What is said of a line of output, or what happened to the task. */
function said({ level, stream, msg }: Entry): string {
  return stream === undefined ? String(msg) : `${stream as string} ${level as number} ${msg as string}`;
}

const spoken = (name: string) => [
  "received",
  `stdout 30 ${name} begins`,
  `stderr 40 ${name} is not sure`,
  `stdout 30 ${name} gößt on`,
  `stderr 40 ${name} has\ntwo lines`,
  `stdout 30 ${name} {"level":60,"msg":"forged"} ends without an end`,
  "succeeded",
];

describe.each([["inline"], ...(long ? [["threads"]] : []), ["processes"]])("what tasks write, with the pool %s,", (pool) => {
  // One worker for the three: the last of them stops it.
  let opened: Scene;
  beforeAll(() => void (opened = scene("-P", pool, "-c", "2")));
  afterAll(() => opened[Symbol.asyncDispose]());

  it("keeps its place among the lines of the task's own log", async () => {
    const { app, worker } = opened;
    const { id } = await app.sendTask("output.log");
    await worker.waitForEntry({ msg: "succeeded", id });
    const texts = worker.entries.filter((entry) => entry["id"] === id).map(({ msg }) => msg);
    expect(texts).toEqual(["received", "one", "two", "three", "four", "succeeded"]);
  });

  it("large output: nothing is lost, and a text of megabytes is cut", async () => {
    const { app, worker } = opened;
    const flood = await app.sendTask("output.flood", [20_000, 200]);
    const long = await app.sendTask("output.long", [5_000_000]);
    await flood.get(patience);
    await long.get(patience);
    await worker.waitForEntry({ msg: "succeeded", id: long.id });
    const lines = worker.entries.filter(({ id, stream }) => id === flood.id && stream === "stdout").map(({ msg }) => String(msg));
    expect(lines.map((line) => Number(line.split(" ")[0]))).toEqual(Array.from({ length: 20_000 }, (_, line) => line));
    const [cut] = worker.entries.filter(({ id, stream }) => id === long.id && stream === "stdout");
    expect(cut).toMatchObject({ msg: "é".repeat(20_000), cut: 4_980_000 });
  });

  it("is lines with their names and ids, in order, and all of stdout is JSON", async () => {
    const { app, worker } = opened;
    const sent = await Promise.all(["a", "b"].map((name) => app.sendTask("output.speak", [name])));
    for (const result of sent) await result.get(patience);
    for (const { id } of sent) await worker.waitForEntry({ msg: "succeeded", id });
    sent.forEach(({ id }, index) => {
      const entries = worker.entries.filter((entry) => entry["id"] === id);
      expect(entries.map(said)).toEqual(spoken(index === 0 ? "a" : "b"));
      for (const entry of entries) expect(entry).toMatchObject({ worker: "speaker", task: "output.speak" });
    });
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
    expect(worker.lines.map((line) => (JSON.parse(line) as Entry)["worker"])).toEqual(worker.lines.map(() => "speaker"));
    expect(worker.errors).toEqual([]);
    const loaded = worker.entries.filter(({ msg }) => msg === "loaded");
    // In the worker, and in each runner.
    expect(loaded.length).toBeGreaterThanOrEqual(pool === "inline" ? 1 : 2);
    for (const entry of loaded) expect(entry).toMatchObject({ stream: "stdout", level: 30 });
    expect(loaded.some((entry) => "id" in entry)).toBe(false);
  });

  it("with --no-capture-console: not captured", async () => {
    await using opened = scene("-P", pool, "-c", "1", "--no-capture-console");
    const { app, worker } = opened;
    await (await app.sendTask("output.speak", ["a"])).get(patience);
    await worker.waitFor(/^a begins$/);
    await worker.waitFor(/^two lines$/);
    expect(worker.lines).toContain("a begins");
    expect(worker.errors).toContain("a is not sure");
  });
});

describe("output of tasks", () => {
  it("is left out below the level", async () => {
    await using opened = scene("-P", "processes", "-c", "1", "-l", "warn");
    const { app, worker } = opened;
    await (await app.sendTask("output.speak", ["a"])).get(patience);
    await worker.stop();
    expect(worker.entries.map(said)).toEqual(spoken("a").filter((line) => line.startsWith("stderr")));
    expect(worker.errors).toEqual([]);
  });
});

describe("output of a pool process", () => {
  it("right before it ends is not lost", async () => {
    await using opened = scene("-P", "processes", "-c", "1");
    const { app, worker } = opened;
    const { id } = await app.sendTask("output.exit");
    expect(await worker.waitForEntry({ msg: "last words" })).toMatchObject({ task: "output.exit", id, stream: "stdout" });
    await worker.waitForEntry({ msg: "runner died" });
  });

  it("past Node's streams is lines too, without a task, and holds up nothing", async () => {
    await using opened = scene("-P", "processes", "-c", "1");
    const { app, worker } = opened;
    const { id } = await app.sendTask("output.native");
    await worker.waitForEntry({ msg: "succeeded", id });
    await worker.waitForEntry({ stream: "stderr", msg: '{"level":30}' });
    await worker.stop();
    const written = worker.entries
      .filter(({ stream }) => stream === "stdout")
      .map((entry) => [entry["msg"], entry["id"], typeof entry["pid"]]);
    expect(written).toEqual([
      ["loaded", undefined, "undefined"],
      ["loaded", undefined, "number"],
      ["past the streams, and not at the end of a line: ", undefined, "number"],
      ["by console", id, "undefined"],
      ["of a child", undefined, "number"],
      ["after it", id, "undefined"],
    ]);
    expect(worker.entries).toHaveLength(worker.lines.length);
    expect(worker.errors).toEqual([]);
  });
});

describe("output of a beat's app", () => {
  it.each([
    { args: [], is: { worker: `beat@${hostname()}`, stream: "stdout", level: 30, msg: "loaded" } },
    { args: ["-n", "one@%h"], is: { worker: `one@${hostname()}`, msg: "loaded" } },
  ])("is a line of the beat with $args", async ({ args, is }) => {
    const env = { FIXTURE_PREFIX: `output-${randomUUID()}`, BULLRUSH_BROKER_URL: redisUrl() };
    await using beat = startProgram({ file: taskBeat, args: ["-A", fixture, ...args], env });
    await beat.waitForEntry({ msg: "ready" });
    await beat.stop();
    expect(beat.entries[0]).toMatchObject(is);
    expect(beat.entries.map(({ worker }) => worker)).toEqual(beat.lines.map(() => is.worker));
  });

  it("with --no-capture-console: not captured", async () => {
    const env = { FIXTURE_PREFIX: `output-${randomUUID()}`, BULLRUSH_BROKER_URL: redisUrl() };
    await using beat = startProgram({ file: taskBeat, args: ["-A", fixture, "--no-capture-console"], env });
    await beat.waitForEntry({ msg: "ready" });
    expect(beat.lines[0]).toBe("loaded");
  });
});

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { createApp, type App } from "@bullrush/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";
import { startWorker, type WorkerProcess } from "../lib/task-worker.js";
import { redisUrl } from "../lib/redis-url.js";
import { serverBinary, startServer } from "../lib/server.js";

const fixture = fileURLToPath(new URL("fixtures/tasks.ts", import.meta.url));
const canary = "c4nary-word";

function producer(prefix: string): App {
  return createApp({ broker: redisUrl(), prefix, queues: ["one"], defaultQueue: "one" });
}

describe("the banner", () => {
  const args = ["-Q", "one:3,two", "-n", "banner@%h", "-c", "7", "--order", "strict", "--broker", redisUrl(1)];
  const env = { BULLRUSH_RESULT_BACKEND: redisUrl(2), FIXTURE_PREFIX: `banner-${randomUUID()}` };
  const host = new URL(redisUrl()).host;
  const tasks = ["fixture.add", "fixture.fail", "fixture.hold", "fixture.echo", "fixture.relay"];

  it("is one line for machines", async () => {
    await using worker = startWorker({ app: fixture, args, env });
    await worker.ready;
    expect(worker.entries[0]).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      msg: "starting",
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      worker: `banner@${hostname()}`,
      app: "fixture",
      broker: `redis://${host}/1`,
      backend: `redis://${host}/2`,
      pool: "inline",
      concurrency: 7,
      order: "strict",
      queues: ["one:3", "two"],
      tasks,
    });
    expect(worker.entries[1]).toMatchObject({ level: 30, msg: "ready", worker: `banner@${hostname()}`, queues: ["one", "two"] });
    expect(worker.lines).toHaveLength(2);
  });

  it("is a page for people", async () => {
    await using worker = startWorker({ app: fixture, args: [...args, "--log-format", "pretty"], env });
    await worker.ready;
    const text = worker.lines.join("\n");
    expect(text).toMatch(new RegExp(`^ +bullrush \\d+\\.\\d+\\.\\d+\\S* +banner@${hostname()}$`, "m"));
    for (const line of [
      "app      fixture",
      `broker   redis://${host}/1`,
      `results  redis://${host}/2`,
      "pool     inline, 7 at once, strict",
      "queues   one:3, two",
    ]) {
      expect(worker.lines.map((written) => written.trim())).toContain(line);
    }
    for (const task of tasks) expect(worker.lines).toContain(`    ${task}`);
    expect(worker.lines.at(-1)).toBe(`${worker.lines.at(-1)?.slice(0, 8)} banner  ready, takes from one, two`);
  });

  it.skipIf(serverBinary === undefined)("shows no password, of a flag, a variable or the app", async () => {
    await using server = await startServer(["--requirepass", canary]);
    const url = server.url({ password: canary });
    for (const format of ["json", "pretty"]) {
      await using worker = startWorker({
        app: fixture,
        args: ["--broker", url, "--log-format", format, "-l", "debug"],
        env: { BULLRUSH_BROKER_URL: url, BULLRUSH_RESULT_BACKEND: url },
      });
      await worker.ready;
      await worker.stop();
      const written = [...worker.lines, ...worker.errors].join("\n");
      expect(written).toContain(`redis://127.0.0.1:${server.port}/0`);
      expect(written).not.toContain(canary);
    }
  });
});

describe("the lines about tasks", () => {
  const prefix = `log-${randomUUID()}`;
  let worker: WorkerProcess;
  let app: App;

  beforeAll(() => {
    app = producer(prefix);
    worker = startWorker({ app: fixture, args: ["-Q", "one", "-n", "logger"], env: { FIXTURE_PREFIX: prefix } });
  });

  afterAll(async () => {
    await worker.stop();
    await app.close();
  });

  it("are received and succeeded", async () => {
    const sent = await app.sendTask<string>("fixture.echo", [{ [canary]: canary }], { headers: { [canary]: canary } });
    expect(await sent.get({ timeout: hangTimeout })).toEqual({ [canary]: canary });
    await worker.waitForEntry({ msg: "succeeded", id: sent.id });
    const task = { level: 30, time: expect.any(String) as string, worker: "logger", task: "fixture.echo", id: sent.id };
    expect(worker.entries.filter(({ id }) => id === sent.id)).toEqual([
      { ...task, msg: "received", queue: "one", attempt: 1 },
      { ...task, msg: "succeeded", ms: expect.any(Number) as number },
    ]);
  });

  it("are received and failed, with the stack once", async () => {
    const sent = await app.sendTask("fixture.fail", [canary]);
    await expect(sent.get({ timeout: hangTimeout })).rejects.toThrow("out of order");
    const failed = await worker.waitForEntry({ msg: "failed", id: sent.id });
    expect(failed).toEqual({
      level: 50,
      time: expect.any(String) as string,
      worker: "logger",
      task: "fixture.fail",
      id: sent.id,
      ms: expect.any(Number) as number,
      error: "TypeError: out of order",
      stack: expect.stringMatching(/^TypeError: out of order\n +at .*fixtures\/tasks\.ts:11/) as string,
      msg: "failed",
    });
    expect(JSON.stringify(worker.entries.filter(({ id }) => id === sent.id)).match(/fixtures\/tasks\.ts/g)).toHaveLength(1);
  });

  it("are revoked, and not received, when it has expired", async () => {
    const sent = await app.sendTask("fixture.echo", [canary], { expires: new Date(Date.now() - 1000) });
    await expect(sent.get({ timeout: hangTimeout })).rejects.toThrow("expired");
    await worker.waitForEntry({ msg: "revoked", id: sent.id });
    expect(worker.entries.filter(({ id }) => id === sent.id)).toMatchObject([
      { level: 40, msg: "revoked", task: "fixture.echo", reason: "expired" },
    ]);
  });

  it("are JSON, one and all, without arguments, headers or results", async () => {
    await worker.ready;
    expect(worker.entries).toHaveLength(worker.lines.length);
    expect(worker.lines.join("\n")).not.toContain(canary);
    expect(worker.errors).toEqual([]);
  });
});

describe("pretty lines", () => {
  it("say the same to people, the stack below", async () => {
    const prefix = `pretty-${randomUUID()}`;
    await using app = producer(prefix);
    await using worker = startWorker({ app: fixture, args: ["-Q", "one", "--log-format", "pretty"], env: { FIXTURE_PREFIX: prefix } });
    const good = await app.sendTask("fixture.echo", [canary]);
    const bad = await app.sendTask("fixture.fail", [canary]);
    await worker.waitFor(new RegExp(`  succeeded  fixture\\.echo\\[${good.id.slice(0, 8)}\\] in \\d+ ms$`));
    await worker.waitFor(new RegExp(`  failed     fixture\\.fail\\[${bad.id.slice(0, 8)}\\] after \\d+ ms: TypeError: out of order$`));
    await worker.waitFor(/^ +at .*fixtures\/tasks\.ts:11/);
    await worker.stop();
    const text = worker.lines.join("\n");
    expect(text.match(/fixtures\/tasks\.ts/g)).toHaveLength(1);
    expect(text).not.toContain(canary);
    expect(text).not.toContain("\u001B");
  });
});

describe("-l", () => {
  it.each([
    { level: "error", seen: ["failed"] },
    { level: "WARN", seen: ["failed", "revoked"] },
    { level: "debug", seen: ["failed", "received", "revoked", "starting", "ready", "stopped", "stopping", "succeeded"] },
  ])("$level", async ({ level, seen }) => {
    const prefix = `level-${randomUUID()}`;
    await using app = producer(prefix);
    await using worker = startWorker({ app: fixture, args: ["-Q", "one", "-l", level], env: { FIXTURE_PREFIX: prefix } });
    const sent = [
      await app.sendTask("fixture.fail", []),
      await app.sendTask("fixture.echo", [], { expires: new Date(Date.now() - 1000) }),
      await app.sendTask("fixture.add", [1, 2]),
    ];
    for (const result of sent) await result.get({ timeout: hangTimeout, propagate: false });
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
    expect(new Set(worker.entries.map(({ msg }) => msg))).toEqual(new Set(seen));
  });
});

import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { createApp, type App } from "@bullrush/client";
import { describe, expect, it } from "vitest";
import { compiledFixture } from "../lib/fixture.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { startWorker, type WorkerProcess } from "../lib/task-worker.js";
import { startProgram, type Program } from "../lib/program.js";
import { makeProject } from "../lib/project.js";
import { redisUrl } from "../lib/redis-url.js";
import { serverBinary, startServer } from "../lib/server.js";

const fixture = compiledFixture("fixtures/tasks.ts", import.meta.url);
const shortLease = fileURLToPath(new URL("fixtures/short-lease.mjs", import.meta.url));
const wellDone = { code: 0, signal: null };

if (serverBinary === undefined) console.log("skipped: stops without a broker, because PATH has no redis-server and no valkey-server");

/** A producer, and a way to start workers beside it whose task takes `hold` ms. */
function scene(url = redisUrl()): {
  readonly app: App;
  worker(hold: number, ...args: readonly string[]): WorkerProcess;
  lease(hold: number, name: string, patience?: number): Program;
} {
  const prefix = `shutdown-${randomUUID()}`;
  const env = (hold: number) => ({ BULLRUSH_BROKER_URL: url, FIXTURE_PREFIX: prefix, FIXTURE_QUEUES: "one", FIXTURE_HOLD: String(hold) });
  return {
    app: createApp({ broker: url, prefix, queues: ["one"], defaultQueue: "one" }),
    worker: (hold, ...args) => startWorker({ app: fixture, args, env: env(hold) }),
    lease: (hold, name, patience = 30_000) =>
      startProgram({ file: shortLease, env: { ...env(hold), FIXTURE_NAME: name, FIXTURE_PATIENCE: String(patience) } }),
  };
}

describe.concurrent("task-worker finishes its running tasks, takes no more, and ends with 0", () => {
  it.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)("at %s", async (signal) => {
    const { app, worker: start } = scene();
    await using _ = app;
    await using worker = start(3000);
    const begun = await app.sendTask("fixture.hold");
    await worker.waitForEntry({ msg: "holding", id: begun.id });
    worker.signal(signal);
    await worker.waitForEntry({ msg: "stopping", running: 1 });
    const late = await app.sendTask("fixture.add", [1, 2]);
    expect(await worker.exit).toEqual(wellDone);
    expect(await begun.status()).toBe("SUCCESS");
    expect(await late.status()).toBe("PENDING");
    expect(worker.entries.at(-1)).toMatchObject({ level: 30, msg: "stopped" });
    expect(worker.errors).toEqual([]);
  });

  it.each(["SIGTERM", "SIGHUP"] as const)("at a second %s too", async (signal) => {
    const { app, worker: start } = scene();
    await using _ = app;
    await using worker = start(3000);
    const begun = await app.sendTask("fixture.hold");
    await worker.waitForEntry({ msg: "holding", id: begun.id });
    worker.signal(signal);
    await worker.waitForEntry({ msg: "stopping" });
    worker.signal(signal);
    expect(await worker.exit).toEqual(wellDone);
    expect(await begun.status()).toBe("SUCCESS");
  });

  it("when it has nothing to do", async () => {
    const { app, worker: start } = scene();
    await using _ = app;
    await using worker = start(0);
    await worker.ready;
    expect(await worker.stop()).toEqual(wellDone);
  });
});

describe.concurrent("task-worker ends", () => {
  it("even if the app's module has left handles open", async () => {
    using project = makeProject({
      "tasks.mjs": `
        import { createServer } from "node:net";
        import { createApp } from "@bullrush/client";
        setInterval(() => {}, 1000);
        createServer().listen(0, "127.0.0.1");
        export const app = createApp({ prefix: "left-open" });
      `,
    });
    await using worker = startWorker({ cwd: project.directory });
    await worker.ready;
    expect(await worker.stop()).toEqual(wellDone);
  });
});

describe.concurrent("task-worker asks the task to end and puts it back, and another worker runs it as the same attempt,", () => {
  it.each([
    { when: "at --shutdown-timeout", args: ["--shutdown-timeout", "500ms"], signals: ["SIGTERM"] },
    { when: "at a second SIGINT", args: [], signals: ["SIGINT", "SIGINT"] },
    { when: "at a SIGINT after SIGHUP", args: [], signals: ["SIGHUP", "SIGINT"] },
  ] as const)("$when", async ({ args, signals }) => {
    const { app, worker: start } = scene();
    await using _ = app;
    await using first = start(60_000, "-n", "first", ...args);
    const sent = await app.sendTask("fixture.hold");
    await first.waitForEntry({ msg: "holding", id: sent.id });
    for (const signal of signals) {
      first.signal(signal);
      await first.waitForEntry({ msg: "stopping" });
    }
    expect(await first.exit).toEqual(wellDone);
    expect(first.entries.map(({ msg }) => msg)).toContain("asked to end");
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 1, active: 0, failed: 0 }]);
    expect(await sent.status()).toBe("PENDING");

    await using second = start(0, "-n", "second");
    await second.ready;
    expect(await sent.get({ timeout: hangTimeout })).toEqual({ attempt: 1, worker: "second" });
    expect(await second.stop()).toEqual(wellDone);
  });
});

describe.concurrent("task-worker whose Redis is dead", () => {
  it.skipIf(serverBinary === undefined)("ends in time with code 1, and logs what is left", async () => {
    await using server = await startServer();
    const { app, worker: start } = scene(server.url());
    await using _ = app;
    await using worker = start(60_000, "--shutdown-timeout", "1s");
    for (let sent = 0; sent < 2; sent++) await app.sendTask("fixture.hold");
    await worker.waitForEntry({ msg: "received", queue: "one" });
    await worker.waitForEntry({ msg: "holding" });
    await server.kill();
    expect(await worker.stop()).toEqual({ code: 1, signal: null });
    expect(worker.entries.at(-1)).toMatchObject({ level: 50, left: 2, msg: expect.stringContaining("before all was settled") as string });
  });

  it.skipIf(serverBinary === undefined)("ends well when nothing is left", async () => {
    await using server = await startServer();
    await using worker = scene(server.url()).worker(0);
    await worker.ready;
    await server.kill();
    await worker.waitForEntry({ msg: "broker cannot be reached" });
    expect(await worker.stop()).toEqual(wellDone);
  });
});

describe.concurrent("a worker from code whose Redis is dead", () => {
  it.skipIf(serverBinary === undefined)("leaves nothing behind that keeps the process alive when it has stopped", async () => {
    await using server = await startServer();
    const { app, lease } = scene(server.url());
    await using _ = app;
    await using worker = lease(1500, "alone", 200);
    const sent = await app.sendTask("fixture.hold");
    await worker.waitForEntry({ msg: "holding", id: sent.id });
    await server.kill();
    expect(await worker.stop()).toEqual(wellDone);
  });
});

describe.concurrent("a task whose worker is killed", () => {
  it("runs again in another as soon as its lease has run out", async () => {
    const { app, lease } = scene();
    await using _ = app;
    await using first = lease(60_000, "first");
    const sent = await app.sendTask("fixture.hold");
    await first.waitForEntry({ msg: "holding", id: sent.id });
    await using second = lease(0, "second");
    await second.waitForEntry({ msg: "ready" });
    await first.kill();
    expect(await sent.get({ timeout: hangTimeout })).toEqual({ attempt: 1, worker: "second" });
    await second.stop();
  });
});

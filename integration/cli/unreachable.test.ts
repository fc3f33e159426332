import { randomUUID } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { createApp } from "@bullrush/client";
import { describe, expect, it } from "vitest";
import { compiledFixture } from "../lib/fixture.js";
import { startWorker } from "../lib/task-worker.js";
import { redisUrl } from "../lib/redis-url.js";
import { deadPort, serverBinary, startServer } from "../lib/server.js";

const fixture = compiledFixture("fixtures/tasks.ts", import.meta.url);
const canary = "c4nary-pass";

if (serverBinary === undefined) console.log("skipped: servers with a password, because PATH has no redis-server and no valkey-server");

/**
 * What it says, on one line of stderr, before it ends with code 1; nothing that it writes has the
 * password or a stack.
 */
async function reasonToEnd(args: readonly string[]): Promise<string> {
  await using worker = startWorker({ app: fixture, args });
  await worker.waitForEntry({ msg: "starting" });
  const exit = await worker.exit;
  const written = [...worker.lines, ...worker.errors].join("\n");
  expect({ exit, errors: worker.errors }).toEqual({ exit: { code: 1, signal: null }, errors: [expect.any(String)] });
  expect(written).not.toContain(canary);
  expect(written).not.toMatch(/^\s+at /m);
  expect(worker.entries.map(({ msg }) => msg)).not.toContain("ready");
  return worker.errors[0] ?? "";
}

describe.concurrent("task-worker ends, after a while,", () => {
  it("when nobody listens where the broker should be", async () => {
    const port = deadPort;
    const reason = await reasonToEnd(["--broker", `redis://u:${canary}@127.0.0.1:${port}/3`]);
    expect(reason).toMatch(/^task-worker: .*redis:\/\/127\.0\.0\.1:\d+\/3.*ECONNREFUSED/);
    expect(reason).toContain(`127.0.0.1:${port}/3`);
  });

  it("when nobody listens where the result backend should be", async () => {
    const port = deadPort;
    const reason = await reasonToEnd(["--result-backend", `redis://u:${canary}@127.0.0.1:${port}/4`]);
    expect(reason).toMatch(/^task-worker: .*result backend.*ECONNREFUSED/);
    expect(reason).toContain(`redis://127.0.0.1:${port}/4`);
  });

  it("when the broker's host has no address", async () => {
    expect(await reasonToEnd(["--broker", `redis://u:${canary}@nowhere.invalid`])).toMatch(
      /^task-worker: .*redis:\/\/nowhere\.invalid:6379\/0/,
    );
  });

  it("when the broker accepts the connection and says nothing", async () => {
    await using silent = await silentServer();
    expect(await reasonToEnd(["--broker", silent.url])).toContain(`${silent.url}/0`);
  });
});

describe.skipIf(serverBinary === undefined)("task-worker ends, at a server with a password,", { concurrent: true }, () => {
  it.each([
    { what: "with a wrong one", user: "", password: canary, says: 'refused user "default"' },
    { what: "with a user that does not exist", user: "nobody", password: canary, says: 'refused user "nobody"' },
  ])("$what, for broker and result backend alike", async ({ user, password, says }) => {
    await using server = await startServer(["--requirepass", "right"]);
    const url = `redis://${user}:${password}@127.0.0.1:${server.port}`;
    for (const service of ["--broker", "--result-backend"]) {
      const reason = await reasonToEnd([service, url]);
      expect(reason).toContain(says);
      expect(reason).toContain(`redis://127.0.0.1:${server.port}/0`);
    }
  });

  it("without one", async () => {
    await using server = await startServer(["--requirepass", "right"]);
    expect(await reasonToEnd(["--broker", server.url()])).toContain("NOAUTH");
  });

  it("but not with the right one, which it does not show", async () => {
    await using server = await startServer(["--requirepass", canary]);
    await using worker = startWorker({
      app: fixture,
      args: ["--broker", server.url({ password: canary }), "--log-format", "pretty", "-l", "debug"],
    });
    await worker.ready;
    await worker.stop();
    expect([...worker.lines, ...worker.errors].join("\n")).not.toContain(canary);
  });
});

describe.concurrent("task-worker ends", () => {
  it.each(["broker", "result-backend"])("when the database of the %s does not exist", async (service) => {
    const url = redisUrl(4711);
    expect(await reasonToEnd([`--${service}`, url])).toMatch(/^task-worker: .*\/4711.*no database 4711/);
  });
});

describe.concurrent("task-worker that cannot start", () => {
  it("has purged nothing", async () => {
    const prefix = `purge-${randomUUID()}`;
    await using app = createApp({ broker: redisUrl(), prefix, queues: ["one"], defaultQueue: "one" });
    await app.sendTask("fixture.add", [1, 2]);
    await using worker = startWorker({
      app: fixture,
      args: ["-Q", "one", "--purge", "--yes", "--result-backend", `redis://127.0.0.1:${deadPort}`],
      env: { FIXTURE_PREFIX: prefix },
    });
    expect(await worker.exit).toMatchObject({ code: 1 });
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 1 }]);
  });

  it.each(["says nothing", "is not there"])(
    "because its broker %s, can be told to stop, and has nothing to complain about",
    async (what) => {
      await using silent = await silentServer();
      const url = what === "says nothing" ? silent.url : `redis://127.0.0.1:${deadPort}`;
      await using worker = startWorker({ app: fixture, args: ["--broker", url] });
      await worker.waitForEntry({ msg: "starting" });
      if (what === "says nothing") await silent.called;
      expect(await worker.stop()).toEqual({ code: 0, signal: null });
      expect(worker.errors).toEqual([]);
      expect(worker.entries.at(-1)).toMatchObject({ msg: "stopped" });
    },
  );
});

/** A server that accepts connections and never answers; `called` resolves at the first of them. */
async function silentServer(): Promise<AsyncDisposable & { readonly url: string; readonly called: Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on("error", () => undefined)));
  const called = new Promise<void>((resolve) => server.once("connection", () => resolve()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return {
    url: `redis://127.0.0.1:${address.port}`,
    called,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

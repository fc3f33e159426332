import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openFleet } from "../lib/fleet.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { places, type Place } from "../lib/places.js";
import { eventually } from "../lib/eventually.js";
import { taskWorker } from "../lib/task-worker.js";
import { redisUrl } from "../lib/redis-url.js";
import { startProgram, type Program } from "../lib/program.js";
import { serverBinary, startServer } from "../lib/server.js";

const tasks = fileURLToPath(new URL("fixtures/tasks.mjs", import.meta.url));
const firstProcess = fileURLToPath(new URL("fixtures/first-process.mjs", import.meta.url));

const namespaces = spawnSync("unshare", ["--pid", "--fork", "true"]);
const noNamespaces = namespaces.error?.message ?? (namespaces.status === 0 ? undefined : String(namespaces.stderr).trim());
if (noNamespaces !== undefined) console.log(`skipped: task-worker as process 1, because of: ${noNamespaces}`);
if (serverBinary === undefined) console.log("skipped: stops without a broker, because PATH has no redis-server and no valkey-server");

interface Start {
  readonly env: Readonly<Record<string, string>>;
  readonly asProcessOne?: boolean;
  readonly lease?: string;
}

/** `task-worker` with a `--shutdown-timeout` of 1 s. */
function command({ env, lease = "15s", asProcessOne = false }: Start): Program {
  const args = ["-A", tasks, "-n", "command", "--shutdown-timeout", "1s", "--lease", lease];
  if (!asProcessOne) return startProgram({ file: taskWorker, args, env });
  return startProgram({ file: firstProcess, args: [taskWorker, ...args], env });
}

describe.concurrent("at SIGTERM with a task that ignores its signal, task-worker", () => {
  async function stopsInTime({ backend }: Place, asProcessOne: boolean): Promise<void> {
    await using fleet = openFleet({ backend: await backend() });
    const { app, ledger } = fleet;
    const first = command({ env: fleet.env(), asProcessOne });
    const sent = await app.sendTask("linger", [60_000, 0, "command"]);
    await eventually("it has begun", () => ledger.of(sent.id).length === 1);
    const second = fleet.start("second", { lease: "15s" });
    await second.waitForEntry({ msg: "ready" });
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    // It neither waits for the task nor leaves it to its lease.
    await first.waitForEntry({ msg: "requeued", id: sent.id });
    expect(await sent.get({ timeout: hangTimeout })).toBe("second");
    expect(ledger.of(sent.id, "end").map(({ worker }) => worker)).toEqual(["second"]);
    expect(await sent.attempts()).toBe(1);
    expect(ledger.of(sent.id, "abort")).toHaveLength(1);
    expect(ledger.of(sent.id)).toHaveLength(2);
  }

  it.each(places)("ends in time, and the task starts elsewhere at once, as the same attempt, with results $results", (place) =>
    stopsInTime(place, false),
  );

  it.skipIf(noNamespaces !== undefined)("does so as process 1, too", () => stopsInTime(places[0] as Place, true));
});

describe.skipIf(serverBinary === undefined).concurrent("at SIGTERM with a dead Redis, task-worker", () => {
  const oneLine = (worker: Program) =>
    worker.entries.filter(({ msg }) => typeof msg === "string" && msg.startsWith("stopped before all was settled"));
  const saysSo = (left: number) => [{ level: 50, left, msg: expect.stringContaining("these tasks run again") as string }];

  it.each([{ results: "dead, too" }, { results: "on a live server" }])(
    "ends in time, with code 1 and one line; results: $results",
    async ({ results }) => {
      await using server = await startServer();
      await using fleet = openFleet({ broker: server.url(), backend: results === "dead, too" ? server.url() : redisUrl() });
      const { app, ledger } = fleet;
      const worker = command({ env: fleet.env() });
      const sent = await Promise.all([60_000, 60_000].map((ms) => app.sendTask("hold", [ms])));
      await eventually("both have begun", () => sent.every(({ id }) => ledger.of(id).length === 1));
      await server.kill();
      expect(await worker.stop()).toEqual({ code: 1, signal: null });
      expect(sent.flatMap(({ id }) => ledger.of(id, "end"))).toEqual([]);
      expect(oneLine(worker)).toMatchObject(saysSo(2));
    },
  );

  it("result backend away: running tasks go back, and outcomes that could not be stored are left to other workers", async () => {
    const server = await startServer();
    await using fleet = openFleet({ backend: server.url() });
    const { app, ledger } = fleet;
    const worker = command({ env: fleet.env(), lease: "2s" });
    const [ended, running] = await Promise.all([
      app.sendTask("linger", [null, 0, "command"]),
      app.sendTask("linger", [60_000, 0, "command"]),
    ]);
    await eventually("both have begun", () => [ended, running].every(({ id }) => ledger.of(id).length === 1));
    await server.kill();
    ledger.write("may end", ended.id);
    await worker.waitForEntry({ msg: "succeeded", id: ended.id });
    expect(await worker.stop()).toEqual({ code: 1, signal: null });
    expect(ledger.of(running.id, "end")).toEqual([]);
    expect(oneLine(worker)).toMatchObject(saysSo(1));
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 1, active: 1, failed: 0 }]);

    await using again = await startServer([], { port: server.port });
    expect(again.port).toBe(server.port);
    fleet.start("second");
    expect(await Promise.all([ended, running].map((one) => one.get({ timeout: hangTimeout })))).toEqual(["second", "second"]);
    expect([ended, running].map(({ id }) => ledger.of(id).length)).toEqual([2, 2]);
  });
});

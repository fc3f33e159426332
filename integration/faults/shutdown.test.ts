import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openFleet } from "../lib/fleet.js";
import { eventually } from "../support/eventually.js";
import { taskWorker } from "../support/fleet.js";
import { startProgram, type Program } from "../support/program.js";
import { serverBinary, startServer } from "../support/server.js";

const path = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

const namespaces = spawnSync("unshare", ["--pid", "--fork", "true"]);
const noNamespaces = namespaces.error?.message ?? (namespaces.status === 0 ? undefined : String(namespaces.stderr).trim());
if (noNamespaces !== undefined) console.log(`skipped: task-worker as process 1, because of: ${noNamespaces}`);
if (serverBinary === undefined) console.log("skipped: stops without a broker, because PATH has no redis-server and no valkey-server");

/** How long a stop may take beyond `--shutdown-timeout`, what ending a process or taking a task may take more on a busy machine, in ms. */
const grace = 5000;
const busy = 2000;

interface Start {
  readonly env: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly asProcessOne?: boolean;
}

/** `task-worker` with a `--shutdown-timeout` of 1 s. */
function command({ env, name = "command", asProcessOne = false }: Start): Program {
  const args = ["-A", path("tasks.mjs"), "-n", name, "--shutdown-timeout", "1s"];
  if (!asProcessOne) return startProgram({ file: taskWorker, args, env });
  return startProgram({ file: path("first-process.mjs"), args: [taskWorker, ...args], env });
}

describe.concurrent("at SIGTERM with a task that ignores its signal, task-worker", () => {
  async function stopsInTime(asProcessOne: boolean): Promise<void> {
    await using fleet = openFleet();
    const { app, ledger } = fleet;
    const first = command({ env: fleet.env(), asProcessOne });
    const sent = await app.sendTask("linger", [60_000, 0, "command"]);
    await eventually("it has begun", () => ledger.of(sent.id).length === 1);
    const second = fleet.start("second", { lease: "15s" });
    await second.waitForEntry({ msg: "ready" });
    const toldAt = Date.now();
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    const endedAt = Date.now();
    expect(endedAt - toldAt).toBeLessThan(1000 + grace + busy);
    expect(await sent.get({ timeout: "30s" })).toBe("second");
    expect((ledger.of(sent.id)[1]?.at ?? Infinity) - endedAt).toBeLessThan(1000 + busy);
    expect(await sent.attempts()).toBe(1);
    expect(ledger.of(sent.id, "abort")).toHaveLength(1);
    expect(ledger.of(sent.id)).toHaveLength(2);
  }

  it("ends in time, and the task starts elsewhere at once, as the same attempt", () => stopsInTime(false));

  it.skipIf(noNamespaces !== undefined)("does so as process 1, too", () => stopsInTime(true));
});

describe.concurrent("at SIGTERM with a dead Redis, task-worker", () => {
  it.skipIf(serverBinary === undefined)("ends in time, with code 1 and one line that says what will be redelivered", async () => {
    await using server = await startServer();
    await using fleet = openFleet({ broker: server.url(), backend: server.url() });
    const { app, ledger } = fleet;
    const worker = command({ env: fleet.env() });
    const sent = await Promise.all([60_000, 60_000].map((ms) => app.sendTask("hold", [ms])));
    await eventually("both have begun", () => sent.every(({ id }) => ledger.of(id).length === 1));
    await server.kill();
    const toldAt = Date.now();
    expect(await worker.stop()).toEqual({ code: 1, signal: null });
    expect(Date.now() - toldAt).toBeLessThan(1000 + grace + busy);
    const said = worker.entries.filter(({ msg }) => typeof msg === "string" && msg.startsWith("stopped without the broker"));
    expect(said).toMatchObject([{ level: 50, left: 2, msg: expect.stringContaining("these tasks run again") as string }]);
  });
});

import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openFleet } from "../lib/fleet.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { runs } from "../lib/long.js";
import { startProgram } from "../lib/program.js";

const busyFile = fileURLToPath(new URL("./fixtures/busy.mjs", import.meta.url));
const tasksFile = fileURLToPath(new URL("./fixtures/tasks.mjs", import.meta.url));

const attempts = runs(100, 500);

describe("a worker with one slot, and with others busy beside it", () => {
  it.each(["inline", "processes"] as const)(`goes on ${attempts} times with what is due in 1 to 3 ms: %s`, async (pool) => {
    await using busy = startProgram({ file: busyFile });
    await using fleet = openFleet({ worker: { concurrency: 1, lease: "60s", scan: "1h" } });
    const worker = fleet.start("alone", { pool, ...(pool === "processes" && { module: tasksFile }) });
    await worker.waitForEntry({ msg: "ready" });
    const result = await fleet.app.sendTask("countdown", [attempts]);
    expect(await result.get({ timeout: hangTimeout })).toBe(attempts);
    // The loop has not been helped by its watchdog.
    expect(worker.entries.filter(({ level }) => Number(level) >= 50)).toEqual([]);
    expect(busy.lines).toEqual([]);
  });
});

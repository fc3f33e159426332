import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { startWorker } from "../support/fleet.js";

const fixture = fileURLToPath(new URL("fixtures/tasks.ts", import.meta.url));

describe("a flag of pools that makes no sense ends the worker with code 2", () => {
  it.concurrent.for([
    { args: ["-P", "prefork"], says: "argument 'prefork' is invalid. Allowed choices are inline, threads, processes." },
    { args: ["-P", "processes", "--autoscale", "1,8"], says: "autoscale is 1,8; expected the most first, then the least" },
    { args: ["-P", "processes", "--autoscale", "many"], says: "argument 'many' is invalid. It has to be two whole numbers" },
    { args: ["--autoscale", "8,1"], says: "autoscale is given with the pool inline" },
    { args: ["-P", "threads", "--max-memory-per-child", "200mb"], says: "maxMemoryPerChild is given with the pool threads" },
    { args: ["-P", "processes", "--max-memory-per-child", "200"], says: 'maxMemoryPerChild is "200"; expected a number of bytes' },
    { args: ["-P", "processes", "--max-tasks-per-child", "0"], says: "argument '0' is invalid. It has to be a whole number from 1." },
    { args: ["--time-limit", "10s", "--soft-time-limit", "10s"], says: "softTimeLimit is 10000 ms; expected less than timeLimit" },
    { args: ["--time-limit", "soon"], says: '--time-limit is "soon"' },
  ])("$args", async ({ args, says }, { expect }) => {
    await using worker = startWorker({ app: fixture, args });
    expect(await worker.exit).toEqual({ code: 2, signal: null });
    expect([worker.lines, worker.errors]).toEqual([[], [expect.stringContaining(says)]]);
  });
});

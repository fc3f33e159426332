import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { startWorker } from "../lib/task-worker.js";

const fixture = fileURLToPath(new URL("fixtures/tasks.ts", import.meta.url));

describe("a flag of pools that makes no sense ends the worker with code 2", () => {
  it.concurrent.for([
    { args: ["-P", "prefork"], says: "argument 'prefork' is invalid. Allowed choices are inline, threads, processes." },
    { args: ["--autoscale", "8,1"], says: "autoscale is given with the pool inline" },
    { args: ["--time-limit", "soon"], says: '--time-limit is "soon"' },
  ])("$args", async ({ args, says }, { expect }) => {
    await using worker = startWorker({ app: fixture, args });
    expect(await worker.exit).toEqual({ code: 2, signal: null });
    expect([worker.lines, worker.errors]).toEqual([[], [expect.stringContaining(says)]]);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, inject, test } from "vitest";
import { deadUrl } from "../support.js";
import { scenarios } from "./scenarios.js";

const program = fileURLToPath(new URL("exit.mjs", import.meta.url));

/** How long a process may take in all, and from its last line to its end, in ms. */
const limits = { all: 55_000, end: 3000 };

/** Runs a scenario in a process of its own, and returns its end and its output. */
async function run(scenario: string, url: string, maxEnd = limits.end) {
  const child = spawn(process.execPath, [program, scenario, url], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: limits.all,
    killSignal: "SIGKILL",
  });
  let closedAt = Infinity;
  child.stdout.once("data", () => (closedAt = performance.now()));
  const exit = once(child, "exit").then(([code]) => ({ code: code as number | null, inTime: performance.now() - closedAt < maxEnd }));
  const [output, errors, end] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { ...end, said: output, errors };
}

describe.concurrent("process that ends by itself", () => {
  test.for(Object.keys(scenarios))("after %s: ends", async (scenario, { expect }) => {
    expect(await run(scenario, inject("redisUrl"))).toEqual({ code: 0, inTime: true, said: expect.stringMatching(/^closed/), errors: "" });
  });

  test("after a call to a Redis that cannot be reached: ends", async ({ expect }) => {
    const ended = await run("a call that nobody awaits", deadUrl);
    expect(ended).toEqual({ code: 0, inTime: true, said: expect.stringMatching(/^closed/), errors: "" });
  });

  test("after calls to a Redis that cannot be reached, without close: ends", async ({ expect }) => {
    const ended = await run("calls that nobody awaits, and no close", deadUrl, limits.all);
    expect(ended).toEqual({ code: 0, inTime: true, said: expect.stringMatching(/^closed/), errors: "" });
  });
});

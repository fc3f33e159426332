import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { build, defaultServerConditions } from "vite";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { deadUrl } from "../support.js";
import { scenarios } from "./scenarios.js";

const conditions = ["@bullrush/source", ...defaultServerConditions.filter((condition) => condition !== "module")];
/** Below the package whose dependencies the bundle imports. */
const folder = fileURLToPath(new URL(`../../../broker/node_modules/.exit-${process.pid}`, import.meta.url));
const program = fileURLToPath(new URL("exit.mjs", import.meta.url));

/** How a process that is held by something ends: it is killed after this, in ms, and has no exit code. */
const hung = { timeout: hangTimeout, killSignal: "SIGKILL" } as const;

const ends = { code: 0, said: expect.stringMatching(/^closed/) as string, errors: "" };

/** Runs a scenario in a process of its own, and gives how that ended and what it said. */
async function run(
  scenario: string,
  url: string,
): Promise<{ readonly code: number | null; readonly said: string; readonly errors: string }> {
  const child = spawn(process.execPath, [program, join(folder, "scenarios.js"), scenario, url], {
    stdio: ["ignore", "pipe", "pipe"],
    ...hung,
  });
  const exit = once(child, "exit") as Promise<[number | null]>;
  const [said, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { code, said, errors };
}

// Once, from the sources: each process would otherwise compile them anew.
beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: "silent",
    ssr: { noExternal: [/^@bullrush\//], resolve: { conditions } },
    build: { ssr: fileURLToPath(new URL("scenarios.ts", import.meta.url)), outDir: folder, target: "node20", minify: false },
  });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.concurrent("process that ends by itself", () => {
  test.for(Object.keys(scenarios))("after %s: ends", async (scenario, { expect }) => {
    expect(await run(scenario, inject("redisUrl"))).toEqual(ends);
  });

  test("after a call to a Redis that cannot be reached: ends", async ({ expect }) => {
    expect(await run("a call that nobody awaits", deadUrl)).toEqual(ends);
  });

  test("after calls to a Redis that cannot be reached, without close: ends", async ({ expect }) => {
    expect(await run("calls that nobody awaits, and no close", deadUrl)).toEqual(ends);
  });
});

import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { newId } from "@bullrush/broker";
import { createApp } from "@bullrush/client";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { ownFile } from "../src/own-file.js";
import { missingPool } from "../src/pool/missing.js";
import { createWorker } from "../src/worker.js";

describe("a file of the package", () => {
  test.each(["guard/thread.js", "pool/inside/thread.js", "pool/inside/process.js"])("is found from a folder of the sources: %s", (path) => {
    const file = ownFile(path, new URL("../src/pool/create-pool.ts", import.meta.url).href);
    expect(file?.replaceAll("\\", "/")).toMatch(new RegExp(`/dist/${path}$`));
    expect(existsSync(String(file))).toBe(true);
  });

  // A bundle in CommonJS has no import.meta.url, one in ES modules its own, webpack that of the machine on which it was made, others none that is a file's.
  test.each([
    undefined,
    pathToFileURL("/srv/app/bundle.mjs").href,
    "file:///build/node_modules/@bullrush/worker/dist/pool/create-pool.js",
    "data:,",
  ])("is not there in a bundle: %s", (base) => {
    expect(ownFile("pool/inside/thread.js", base)).toBe(undefined);
  });
});

test("a pool without its files refuses to start, runs nothing and can be stopped", async () => {
  const pool = missingPool("threads");
  await expect(pool.start()).rejects.toMatchObject({ code: "POOL_FAILED", message: expect.stringContaining("not beside this bundle") });
  expect(await pool.run({} as never)).toMatchObject({ type: "requeued" });
  await pool.stop();
});

test("a worker that was made and never started is stopped though nothing was loaded", async () => {
  const app = createApp({ prefix: newId() });
  const worker = createWorker(app, { log: pino({ level: "silent" }) });
  await worker.stop();
  await app.close();
});

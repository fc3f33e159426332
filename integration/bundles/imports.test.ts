import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";
import { startProgram, type Entry } from "../lib/program.js";
import { makeProject } from "../lib/project.js";
import { redisUrl } from "../lib/redis-url.js";

/** The JSON that the module `text` prints, as the file `name` of a project. */
async function said(name: string, text: string): Promise<Entry> {
  using project = makeProject({ [name]: text });
  await using running = startProgram({
    file: join(project.directory, name),
    cwd: project.directory,
    env: { REDIS_URL: redisUrl(), PREFIX: randomUUID() },
  });
  const entry = await running.waitForEntry({ done: true });
  expect(await running.exit).toEqual({ code: 0, signal: null });
  expect(running.errors.filter((line) => !/ExperimentalWarning|trace-warnings/.test(line))).toEqual([]);
  return entry;
}

/** Says which packages are loaded, of those in CommonJS. */
const loaded = `
import { createRequire } from "node:module";
const loaded = (names) => {
  const files = Object.keys(createRequire(import.meta.url).cache).map((file) => file.replaceAll("\\\\", "/"));
  return names.filter((name) => files.some((file) => file.includes("/node_modules/" + name + "/")));
};
const options = { broker: process.env.REDIS_URL, backend: process.env.REDIS_URL, prefix: process.env.PREFIX };
`;

describe("a program that only sends tasks", () => {
  it("loads the Redis library at its first call, and BullMQ at its first call with a priority", async () => {
    const entry = await said(
      "main.mjs",
      `${loaded}
      import { createApp } from "@bullrush/client";
      const names = ["ioredis", "bullmq", "pino", "esbuild", "commander"];
      const app = createApp(options);
      const add = app.task("add", (x, y) => x + y);
      const declared = loaded(names);
      await add.delay(1, 2);
      const sent = loaded(names);
      await add.applyAsync([1, 2], { priority: 3 });
      const urgent = loaded(names);
      await app.close();
      console.log(JSON.stringify({ done: true, declared, sent, urgent }));`,
    );
    expect(entry).toEqual({ done: true, declared: [], sent: ["ioredis"], urgent: ["ioredis", "bullmq"] });
  });

  it("ends by itself when it closes an app that never connected", async () => {
    const text = `import { createApp } from "@bullrush/client"; const app = createApp(); await app.close(); console.log('{"done":true}');`;
    expect(await said("main.mjs", text)).toEqual({ done: true });
  });
});

it("a CommonJS program sends tasks and runs them by require()", async () => {
  const entry = await said(
    "main.cjs",
    `const { createApp } = require("@bullrush/client");
    const { createWorker } = require("@bullrush/worker");
    const { REDIS_URL, PREFIX } = process.env;
    const app = createApp({ broker: REDIS_URL, backend: REDIS_URL, prefix: PREFIX });
    const add = app.task("add", (x, y) => x + y);
    void (async () => {
      const worker = createWorker(app);
      await worker.start();
      const sent = await add.delay(1, 2);
      const value = await sent.get({ timeout: ${hangTimeout} });
      await worker.stop();
      await app.close();
      console.log(JSON.stringify({ done: true, value }));
    })();`,
  );
  expect(entry).toEqual({ done: true, value: 3 });
});

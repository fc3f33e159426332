import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRedis } from "@bullrush/broker/embedded";
import { createApp } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { pino } from "pino";
import { expect, test } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";

const hasNative = spawnSync("redis-server", ["--version"]).status === 0;
if (!hasNative) console.log("skipped: Sentinel needs a redis-server on PATH");

test.skipIf(!hasNative)("Sentinel: broker and result backend are found", async () => {
  const primary = await openRedis({ only: "native" });
  const sentinel = await startSentinel(Number(new URL(primary.url).port));
  const location = { sentinels: [{ host: "127.0.0.1", port: sentinel.port }], name: "tasks" };
  const app = createApp({ broker: { ...location, db: 1 }, backend: { ...location, db: 2 } });
  app.task("add", (x: number, y: number) => x + y);
  const worker = createWorker(app, { log: pino({ level: "silent" }) });
  try {
    await worker.start();
    const result = await app.sendTask("add", [1, 2]);
    expect(await result.get({ timeout: hangTimeout })).toBe(3);
  } finally {
    await worker.stop();
    await sentinel.stop();
    await primary.stop();
  }
});

async function startSentinel(primary: number) {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), "bullrush-sentinel-"));
  const configuration = join(directory, "sentinel.conf");
  writeFileSync(configuration, `port ${port}\nbind 127.0.0.1\nsentinel monitor tasks 127.0.0.1 ${primary} 1\n`);
  const child: ChildProcess = spawn("redis-server", [configuration, "--sentinel"], { stdio: ["ignore", "pipe", "ignore"] });
  for await (const text of child.stdout ?? []) if (String(text).includes("+monitor")) break;
  const gone = once(child, "exit");
  return {
    port,
    stop: async () => {
      child.kill("SIGKILL");
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

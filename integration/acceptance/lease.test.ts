import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createApp } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { pino } from "pino";
import { expect, inject, test } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";

const log = pino({ level: "silent" });

test("task three times as long as its lease: runs once, though another worker is idle", async () => {
  const prefix = randomUUID();
  const starts: string[] = [];
  const workers = ["first", "second"].map((name) => {
    const app = createApp({ broker: inject("redisUrl"), prefix });
    app.task("long", async function () {
      starts.push(this.worker);
      await sleep(7000);
      return this.attempt;
    });
    return createWorker(app, { name, lease: "2s", log });
  });
  for (const worker of workers) await worker.start();
  const producer = createApp({ broker: inject("redisUrl"), prefix });
  const result = await producer.sendTask<number>("long");
  expect(await result.get({ timeout: hangTimeout })).toBe(1);
  expect(starts).toHaveLength(1);
  await Promise.all([...workers.map((worker) => worker.stop()), producer.close()]);
});

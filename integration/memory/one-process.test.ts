import { createBeat } from "@bullrush/beat";
import { createApp, every } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";

const log = pino({ level: "silent" });

test("an app, a worker and a beat in one process, in memory: the worker runs what the beat sends", async () => {
  const app = createApp({ broker: "memory://", beat: { tick: { task: "tasks.tick", schedule: every("100ms") } } });
  let ticks = 0;
  app.task("tasks.tick", () => ++ticks);
  const worker = createWorker(app, { log });
  const beat = createBeat(app, { log });
  onTestFinished(async () => {
    await beat.stop();
    await worker.stop(AbortSignal.abort());
  });
  await worker.start();
  await beat.start();
  await expect.poll(() => ticks).toBeGreaterThanOrEqual(3);
});

import { createApp, every } from "@bullrush/client";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { createBeat } from "../src/index.js";

test("an entry of beat in memory: its ticks are sent into the queue of its task", async () => {
  const app = createApp({ broker: "memory://", beat: { tick: { task: "tasks.tick", schedule: every("100ms"), args: [1] } } });
  const beat = createBeat(app, { log: pino({ level: "silent" }) });
  onTestFinished(() => beat.stop());
  await beat.start();
  await expect.poll(async () => (await app.engine.queues.counts(["default"]))[0]?.waiting).toBeGreaterThanOrEqual(2);
  expect(await app.beat.list()).toMatchObject([{ name: "tick" }]);
});

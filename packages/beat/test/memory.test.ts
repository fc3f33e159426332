import { setImmediate as turn } from "node:timers/promises";
import { memoryEngine, MovableClock } from "@bullrush/broker";
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

test("an engine with a clock: ticks are sent when that clock is moved past them", async () => {
  const clock = new MovableClock(Date.UTC(2030, 0, 1));
  const app = createApp({
    engine: memoryEngine({ clock }),
    beat: { hourly: { task: "tasks.tick", schedule: every("1h") } },
  });
  const beat = createBeat(app, { log: pino({ level: "silent" }) });
  onTestFinished(() => beat.stop());
  await beat.start();
  const due = async () => (await app.beat.list())[0]?.next?.toISOString();
  await expect.poll(due).toBe("2030-01-01T01:00:00.000Z");
  // It sleeps by then: in memory, nothing that it awaits takes longer.
  await turn();
  clock.advance("1h");
  await expect.poll(due).toBe("2030-01-01T02:00:00.000Z");
  expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 1 }]);
});

test("a tick that a middleware refuses: nothing is sent, it stays due, and the log says why", async () => {
  const app = createApp({ broker: "memory://", beat: { tick: { task: "tasks.tick", schedule: every("100ms"), args: [1] } } }).use({
    name: "refusing",
    publish: () => Promise.reject(new RangeError("not now")),
  });
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const beat = createBeat(app, { log });
  onTestFinished(() => beat.stop());
  await beat.start();
  const refused = { entry: "tick", msg: "the entry does not tick", reason: "not now" };
  await expect.poll(() => lines).toContainEqual(expect.objectContaining(refused));
  expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 0 }]);
  const [entry] = await app.beat.list();
  expect(entry).toMatchObject({ count: 0 });
  expect(entry?.next?.getTime()).toBeLessThanOrEqual(Date.now());
});

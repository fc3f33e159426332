import { expect, onTestFinished, test } from "vitest";
import { newId } from "../../src/protocol/id.js";
import { memoryEngine, type MemoryEngineOptions } from "../../src/memory/memory-engine.js";
import { MovableClock } from "../../src/memory/movable-clock.js";
import { messageOf } from "../ports/messages.js";
import { take } from "../ports/waiting.js";

function open(options: MemoryEngineOptions = {}) {
  const engine = memoryEngine(options);
  onTestFinished(() => engine.close());
  return engine;
}

const waitingIn = async (engine: ReturnType<typeof open>) => (await engine.queues.counts(["feeds"]))[0]?.waiting;

test("engines of one name: they share what they hold, and those without a name, of another name or prefix do not", async () => {
  const name = newId();
  const [one, same, ...others] = [open({ name }), open({ name }), open({ name: newId() }), open({ name, prefix: "other" }), open(), open()];
  await one.queues.publish([{ queue: "feeds", message: messageOf() }]);
  expect(await waitingIn(same)).toBe(1);
  expect(await Promise.all(others.map(waitingIn))).toEqual([0, 0, 0, 0]);
});

test("an engine that is closed: what it held stays with the others of its name", async () => {
  const name = newId();
  const [one, other] = [open({ name }), open({ name })];
  await one.queues.publish([{ queue: "feeds", message: messageOf() }]);
  await one.close();
  await expect(one.queues.publish([])).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
  expect(await waitingIn(other)).toBe(1);
});

test("apps of one name: each has entries of beat of its own", async () => {
  const name = newId();
  const [one, other] = [open({ name, app: "one" }), open({ name, app: "other" })];
  await one.schedules.set({ name: "a", call: { task: "tasks.add", schedule: { type: "every", every: 1000 } } });
  expect(await one.schedules.list()).toHaveLength(1);
  expect(await other.schedules.list()).toEqual([]);
});

test("another clock while a consumer waits: the consumer hears what is due by that", async () => {
  const engine = open();
  const consumer = engine.consume({ queues: [{ name: "feeds" }], order: "strict", lease: 30_000, worker: "worker-a" });
  await engine.queues.publish([{ queue: "feeds", message: messageOf({ eta: Date.now() + 3_600_000 }) }]);
  const waiting = consumer.wait();
  engine.useClock(new MovableClock(Date.now() + 7_200_000));
  await waiting;
  expect(await take(consumer, 1)).toHaveLength(1);
});

test("what a consumer changes of a message: the next delivery is as it was sent", async () => {
  const engine = open();
  const consumer = engine.consume({ queues: [{ name: "feeds" }], order: "strict", lease: 30_000, worker: "worker-a" });
  await engine.queues.publish([{ queue: "feeds", message: messageOf({ args: [[1]] }) }]);
  const [first] = await take(consumer, 1);
  if (first?.content.type === "message") (first.content.message.args[0] as number[]).push(2);
  await consumer.settleAndTake({ settle: [{ delivery: first!, outcome: { type: "requeued", reason: "again" } }], take: 0 });
  expect(await take(consumer, 1)).toMatchObject([{ content: { message: { args: [[1]] } } }]);
});

test("the workload of queues: when the next message can be taken, and how many are on loan", async () => {
  const clock = new MovableClock(1000);
  const engine = open({ clock });
  expect(engine.workload()).toEqual({ running: 0, nextDue: Infinity });
  await engine.queues.publish([{ queue: "feeds", message: messageOf({ eta: 5000 }) }]);
  await engine.queues.publish([{ queue: "other", message: messageOf({ eta: 3000 }) }]);
  expect([engine.workload(), engine.workload(["feeds"])]).toEqual([
    { running: 0, nextDue: 3000 },
    { running: 0, nextDue: 5000 },
  ]);
  clock.advance(4000);
  expect(engine.workload(["feeds"])).toEqual({ running: 0, nextDue: 0 });
  const consumer = engine.consume({ queues: [{ name: "feeds" }], order: "strict", lease: 30_000, worker: "worker-a" });
  expect(await take(consumer, 1)).toHaveLength(1);
  expect(engine.workload(["feeds"])).toEqual({ running: 1, nextDue: Infinity });
});

test("news of an engine: of what is sent and settled, until it is stopped", async () => {
  const engine = open();
  let news = 0;
  const stop = engine.onNews(() => news++);
  const consumer = engine.consume({ queues: [{ name: "feeds" }], order: "strict", lease: 30_000, worker: "worker-a" });
  await engine.queues.publish([{ queue: "feeds", message: messageOf() }]);
  expect(news).toBe(1);
  const [delivery] = await take(consumer, 1);
  await consumer.settleAndTake({ settle: [{ delivery: delivery!, outcome: { type: "succeeded" } }], take: 0 });
  expect(news).toBe(2);
  stop();
  await engine.queues.publish([{ queue: "feeds", message: messageOf() }]);
  expect(news).toBe(2);
});

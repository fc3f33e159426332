import {
  BullrushError,
  encodeRecord,
  memoryEngine,
  MovableClock,
  newId,
  type Delivery,
  type Message,
  type Outcome,
  type Results,
} from "@bullrush/broker";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import type { Check } from "../../src/checks/check.js";
import { concluded } from "../../src/checks/concluded.js";
import { crashLimit } from "../../src/checks/crash-limit.js";
import { createChecks } from "../../src/checks/create-checks.js";
import { expired } from "../../src/checks/expired.js";
import { finished } from "../../src/checks/finished.js";
import { Grace } from "../../src/checks/grace.js";
import { revoked } from "../../src/checks/revoked.js";
import { startCounted } from "../../src/checks/start-counted.js";
import { undecodable } from "../../src/checks/undecodable.js";
import { unknownTask, unregistered } from "../../src/checks/unregistered.js";
import { collect } from "../../src/execution/collect.js";
import { received, type Received } from "../../src/execution/received.js";

const log = pino({ level: "silent" });
const add = { name: "add", options: {}, run: () => 3 };
const once = { name: "once", options: { delivery: "at-most-once" }, run: () => 3 } as const;
const silent = { name: "silent", options: { ignoreResult: true }, run: () => 3 };
const tasks = new Map([add, once, silent].map((task) => [task.name, task]));

function deliveryOf(fields: Partial<Delivery> = {}, message: Partial<Message> = {}): Delivery {
  const id = newId();
  const whole = { id, task: "add", args: [], headers: {}, priority: 0, retries: 0, rootId: id, ...message };
  const content = { type: "message", message: whole } as const;
  return { queue: "default", id, number: 1, endedBefore: 0, crashes: 0, token: "t", content, ...fields };
}

function receivedOf(fields: Partial<Delivery> = {}, message: Partial<Message> = {}): Received {
  return received(deliveryOf(fields, message), 0, (task) => (task === collect.name ? collect : tasks.get(task)));
}

/** The results of an engine in memory. */
function openResults(): Results {
  const engine = memoryEngine();
  onTestFinished(() => engine.close());
  return engine.results;
}

/** Results that cannot be reached. */
async function closedResults(): Promise<Results> {
  const engine = memoryEngine();
  await engine.close();
  return engine.results;
}

const graceOf = (grace: number) => new Grace({ grace, clock: { now: () => 1000 }, random: () => 0, log });

test("a message that is marked as revoked: it is revoked for that reason", async () => {
  const check = revoked(openResults());
  expect(await check(receivedOf({ revoked: "no more" }))).toEqual({ type: "revoked", reason: "no more" });
  expect(await check(receivedOf())).toBe("pass");
});

test("a call that stores no result and was revoked by its id before it was sent: it is revoked", async () => {
  const results = openResults();
  const one = receivedOf({}, { task: "silent", resent: true });
  const check = revoked(results);
  expect(await check(one)).toBe("pass");
  const { id } = one.delivery;
  await results.store([{ id, delivery: 0, expires: 60_000, record: encodeRecord({ state: "REVOKED", delivery: 0, reason: "early" }) }]);
  expect(await check(one)).toEqual({ type: "revoked", reason: "early" });
});

test("a call that may be revoked while the result backend is away: it runs", async () => {
  const check = revoked(await closedResults());
  expect(await check(receivedOf({}, { task: "silent", resent: true }))).toBe("pass");
});

test("a message that cannot be read: it is a dead letter, and one of a newer version goes back while the grace lasts", async () => {
  const error = new BullrushError("DECODE_ERROR", { what: "the message", reason: "no JSON" });
  const broken = receivedOf({ content: { type: "undecodable", error } });
  const newer = receivedOf({ content: { type: "undecodable", error, taskOfOtherVersion: "add" } });
  const dead = { type: "failed", deadLetter: true, failure: { code: "DECODE_ERROR" } };
  expect(await undecodable(graceOf(1000))(broken)).toMatchObject(dead);
  expect(await undecodable(graceOf(1000))(newer)).toMatchObject({ type: "requeued" });
  expect(await undecodable(graceOf(0))(newer)).toMatchObject(dead);
  expect(await undecodable(graceOf(0))(receivedOf())).toBe("pass");
});

test("a message that is known to have ended: it ends so, and a success is not stored again", async () => {
  const check = concluded(log);
  const success = receivedOf({ verdict: { type: "succeeded" } });
  expect(await check(success)).toEqual({ type: "succeeded" });
  expect(success.toStore).toBe("nothing");
  const late = receivedOf({ verdict: { type: "time-limit", limit: 50 } });
  expect(await check(late)).toMatchObject({ type: "failed", failure: { code: "TIME_LIMIT_EXCEEDED" } });
  expect(late.toStore).toBe("all");
  expect(await check(receivedOf())).toBe("pass");
});

test("a message that no task is for: it goes back while the grace lasts, and is a dead letter then", async () => {
  const check = (grace: number) => unregistered(tasks, unknownTask(graceOf(grace)));
  const one = receivedOf({}, { task: "theirs" });
  expect(await check(1000)(one)).toMatchObject({ type: "requeued" });
  const details = { code: "TASK_NOT_REGISTERED", message: expect.stringContaining("add, once, silent") as string };
  expect(await check(0)(one)).toMatchObject({ type: "failed", deadLetter: true, failure: details });
  expect(await check(0)(receivedOf())).toBe("pass");
});

test("a message that no task is for and that has expired: it is revoked", async () => {
  const check = unregistered(tasks, unknownTask(graceOf(1000)));
  expect(await check(receivedOf({}, { task: "theirs", expires: 0 }))).toEqual({ type: "revoked", reason: "expired" });
});

test("a job of a plain BullMQ producer that no task is for: it always goes back", async () => {
  const { content } = deliveryOf({}, { task: "theirs" });
  const foreign = receivedOf({ content: { ...content, type: "external" } as Delivery["content"] });
  expect(await unregistered(tasks, unknownTask(graceOf(0)))(foreign)).toMatchObject({ type: "requeued" });
});

/** The check of what has a result already, what it has put back, and the queues that it leaves alone. */
function finishedOn(results: Pick<Results, "claim">) {
  const requeued: string[] = [];
  const rested: string[] = [];
  const check = finished({
    results,
    worker: "w",
    resultExpires: 60_000,
    clock: { now: () => 1000 },
    log,
    requeue: (_, reason) => {
      requeued.push(reason);
      return { type: "requeued", reason };
    },
    rest: (queue) => void rested.push(queue),
  });
  return { check, requeued, rested };
}

test("a message that was never taken or sent before: it claims nothing", async () => {
  const { check } = finishedOn(await closedResults());
  const one = receivedOf();
  expect(await check(one)).toBe("pass");
  expect(one.isClaimed).toBe(false);
});

test.each([{ number: 2 }, { number: 1, resent: true }])(
  "a message that may have run before, %o: it runs if nobody has ended it",
  async (fields) => {
    const { number, ...message } = fields;
    const { check } = finishedOn(openResults());
    const one = receivedOf({ number }, message);
    expect(await check(one)).toBe("pass");
    expect(one.isClaimed).toBe(true);
  },
);

test("a message whose result is stored: it ends with that, and only the tasks that it replaces hear of it", async () => {
  const results = openResults();
  const one = receivedOf({ number: 2 });
  const record = encodeRecord({ state: "SUCCESS", delivery: 1, resultText: "3" });
  await results.store([{ id: one.delivery.id, delivery: 1, expires: 60_000, record }]);
  expect(await finishedOn(results).check(one)).toEqual({ type: "succeeded", result: "3" });
  expect(one.toStore).toBe("copies");
});

test("a message that a later delivery has claimed: it goes back", async () => {
  const results = openResults();
  const one = receivedOf({ number: 2 });
  await results.claim([{ id: one.delivery.id, delivery: 3, expires: 60_000, worker: "other" }]);
  expect(await finishedOn(results).check(one)).toEqual({ type: "requeued", reason: "a later delivery has claimed it", eta: 2000 });
});

test.each([
  ["the result backend is away", {}, ["default"]],
  ["its own record is at fault", { refusal: "other" }, []],
] as const)("a message that cannot be claimed, because %s: it goes back", async (_, refusal, left) => {
  const details = { url: "memory://", action: "not claimed", deadline: 0, reason: "no", ...refusal };
  const claim = async () => Promise.reject(new BullrushError("RESULT_BACKEND_UNAVAILABLE", details));
  const { check, requeued, rested } = finishedOn({ claim });
  expect(await check(receivedOf({ number: 2 }))).toMatchObject({ type: "requeued" });
  expect(requeued).toHaveLength(1);
  expect(rested).toEqual(left);
});

test.each([
  [{ crashes: 2 }, "add", "pass"],
  [{ crashes: 3 }, "add", "TASK_POISONED"],
  [{ crashes: 0 }, "once", "pass"],
  [{ crashes: 1 }, "once", "WORKER_LOST"],
] as const)("a message that has crashed, %o, of the task %s: %s", async (fields, task, expected) => {
  const outcome = await crashLimit(receivedOf(fields, { task }));
  if (expected === "pass") expect(outcome).toBe("pass");
  else expect(outcome).toMatchObject({ type: "failed", deadLetter: true, failure: { code: expected } });
});

test("a message at its expiry: it is revoked, with why its last attempt failed", async () => {
  const clock = new MovableClock(1000);
  const lastFailure = { name: "Error", message: "no" };
  const one = receivedOf({}, { expires: 1001, lastFailure });
  expect(await expired(clock)(one)).toBe("pass");
  clock.advance(1);
  expect(await expired(clock)(one)).toEqual({ type: "revoked", reason: "expired", failure: lastFailure });
});

test("what collects the values of a flow after its expiry: it passes, since the tasks have run", async () => {
  const clock = new MovableClock(1000);
  expect(await expired(clock)(receivedOf({}, { task: collect.name, expires: 1 }))).toBe("pass");
});

const begins = {
  counted: async () => true,
  "not on loan": async () => false,
  unreachable: async () => Promise.reject<boolean>(new Error("away")),
};

test.each([
  ["that was never taken before", 1, "unreachable", "pass", []],
  ["that was counted", 2, "counted", "pass", []],
  ["that is not on loan any more", 2, "not on loan", "its start could not be counted", []],
  ["that could not be counted", 2, "unreachable", "its start could not be counted", ["default"]],
] as const)("the start of a message %s", async (_, number, begin, expected, rested) => {
  const left: string[] = [];
  const check = startCounted({
    begin: begins[begin],
    requeue: (_, reason) => ({ type: "requeued", reason }),
    rest: (queue) => void left.push(queue),
  });
  const outcome = await check(receivedOf({ number }));
  expect(outcome === "pass" ? outcome : (outcome as { reason: string }).reason).toBe(expected);
  expect(left).toEqual(rested);
});

test("a message that several checks would end: the first of them in their order does", async () => {
  const { checks } = createChecks(
    {
      tasks,
      results: openResults(),
      begin: async () => true,
      worker: "w",
      resultExpires: 60_000,
      clock: { now: () => 1000 },
      random: () => 0,
      log,
      rest: () => undefined,
      unregisteredGrace: 0,
    },
    (_, reason) => ({ type: "requeued", reason }),
  );
  const end = async (one: Received): Promise<Outcome | "pass"> => {
    for (const check of checks as readonly Check[]) {
      const outcome = await check(one);
      if (outcome !== "pass") return outcome;
    }
    return "pass";
  };
  const late = { crashes: 3, number: 2 };
  expect(await end(receivedOf({ ...late, revoked: "no more" }, { expires: 1 }))).toEqual({ type: "revoked", reason: "no more" });
  expect(await end(receivedOf({ ...late, verdict: { type: "succeeded" } }, { task: "theirs" }))).toEqual({ type: "succeeded" });
  expect(await end(receivedOf(late, { expires: 1 }))).toMatchObject({ failure: { code: "TASK_POISONED" } });
  expect(await end(receivedOf({ number: 2 }, { expires: 1 }))).toMatchObject({ type: "revoked", reason: "expired" });
  expect(await end(receivedOf({ number: 2 }))).toBe("pass");
});

import { newId, redisResultBackend, systemClock, type Delivery, type Outcome, type Results } from "@bullrush/broker";
import { pino } from "pino";
import { afterEach, beforeEach, expect, inject, it } from "vitest";
import { Executor } from "../../src/execution/executor.js";
import type { Running } from "../../src/execution/running.js";
import { Stop } from "../../src/execution/stop.js";

let backend: Results;

beforeEach(() => {
  backend = redisResultBackend({ location: inject("redisUrl") });
});

afterEach(() => backend.close());

/** An executor of the task `add`, the ids of what it ran, the lines that it has written, and the queues that it lets rest. */
function executor(layer: () => Outcome = () => ({ type: "succeeded", result: "3" })): {
  readonly executor: Executor;
  readonly ran: readonly string[];
  readonly lines: readonly string[];
  readonly rested: readonly string[];
} {
  const ran: string[] = [];
  const lines: string[] = [];
  const run = async ({ delivery }: { readonly delivery: Delivery }) => {
    ran.push(delivery.id);
    return layer();
  };
  const tasks = new Map([["add", { name: "add", options: {}, run: () => 3 }]]);
  const log = pino({ level: "error" }, { write: (line: string) => void lines.push(line) });
  const rested: string[] = [];
  const rest = (queue: string) => void rested.push(queue);
  const begin = async () => true;
  return {
    executor: new Executor({
      tasks,
      results: backend,
      begin,
      onBegin: () => undefined,
      surroundFlow: (flow, send) => send(flow),
      startFlow: async () => {},
      run,
      sharesProcess: true,
      worker: "w1",
      resultExpires: 60_000,
      clock: systemClock,
      random: () => 0,
      log,
      rest,
      unregisteredGrace: 300_000,
    }),
    ran,
    lines,
    rested,
  };
}

/** A delivery that runs. */
function runningOf(delivery: Delivery): Running {
  return { delivery, stop: new Stop(), isOpen: true, startedAt: undefined, begun: false, startedOnce: false };
}

/** A message that was taken so often: twice, and it has to be claimed. */
function deliveryOf(number = 2): Delivery {
  const id = newId();
  const message = { id, task: "add", args: [1, 2], headers: {}, priority: 0, retries: 0, rootId: id };
  return { queue: "default", id, number, endedBefore: 0, crashes: 0, token: "t", content: { type: "message", message } };
}

it("runs nothing that was asked to end while it was claimed: it is somebody else's by then", async () => {
  const { executor: asked, ran } = executor();
  const running = runningOf(deliveryOf());
  const ended = asked.run(running);
  running.stop.request(new Error("the worker shuts down"));
  expect(await ended).toBeUndefined();
  expect(ran).toEqual([]);
});

it("runs what it has claimed", async () => {
  const { executor: asked, ran } = executor();
  const delivery = deliveryOf();
  expect(await asked.run(runningOf(delivery))).toMatchObject({ outcome: { type: "succeeded" } });
  expect(ran).toEqual([delivery.id]);
  await backend.forget([delivery.id]);
});

it("fails what a layer around the task has thrown for, and says so", async () => {
  const { executor: asked, lines } = executor(() => {
    throw new RangeError("Invalid time value");
  });
  const delivery = deliveryOf(1);
  const settlement = await asked.run(runningOf(delivery));
  expect(settlement).toMatchObject({ delivery, outcome: { type: "failed", failure: { name: "RangeError" } } });
  expect(settlement?.store?.record).toContain("FAILURE");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { id: delivery.id, task: "add", error: "RangeError: Invalid time value" },
  ]);
});

it("puts back a plain job that no task is for, for as long again as it was unknown and up to twice that, and no queue rests", async () => {
  const { executor: asked, rested } = executor();
  const { content, ...ours } = deliveryOf(1);
  if (content.type !== "message") throw new Error("it is a message");
  const foreign = { ...ours, content: { type: "external", message: { ...content.message, task: "theirs" } } } as const;
  for (const [age, pause] of [
    [0, 1000],
    [3000, 3000],
    [60_000, 10_000],
  ] as const) {
    const now = Date.now();
    const { outcome } = (await asked.run(runningOf({ ...foreign, unknownSince: now - age }))) ?? {};
    if (outcome?.type !== "requeued" || outcome.eta === undefined) throw new Error("it is put back for later");
    expect(Math.round((outcome.eta - now) / 1000)).toBe(pause / 1000);
  }
  expect(rested).toEqual([]);
});

it("fails what crashed too often, or ran for too long with why its last attempt failed as the cause", async () => {
  const { executor: asked, ran } = executor();
  const lastFailure = { name: "RangeError", message: "bank down" };
  const verdict = { type: "time-limit", limit: 50 } as const;
  for (const [more, code] of [
    [{ crashes: 3 }, "TASK_POISONED"],
    [{ verdict }, "TIME_LIMIT_EXCEEDED"],
  ] as const) {
    const delivery = deliveryOf(4);
    if (delivery.content.type !== "message") throw new Error("it is a message");
    const message = { ...delivery.content.message, retries: 1, lastFailure };
    const settlement = await asked.run(runningOf({ ...delivery, ...more, content: { type: "message", message } }));
    expect(settlement?.outcome).toMatchObject({ type: "failed", failure: { code, cause: lastFailure } });
    expect(settlement?.store?.record).toContain("bank down");
    await backend.forget([delivery.id]);
  }
  expect(ran).toEqual([]);
});

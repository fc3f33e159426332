import { newId, redisResultBackend, systemClock, type Delivery, type ResultBackend } from "@bullrush/broker";
import { pino } from "pino";
import { afterEach, beforeEach, expect, inject, it } from "vitest";
import { Executor } from "../../src/execution/executor.js";

let backend: ResultBackend;

beforeEach(() => {
  backend = redisResultBackend({ location: inject("redisUrl") });
});

afterEach(() => backend.close());

/** An executor of the task `add`, and the ids of what it ran. */
function executor(): { readonly executor: Executor; readonly ran: readonly string[] } {
  const ran: string[] = [];
  const run = async ({ delivery }: { readonly delivery: Delivery }) => {
    ran.push(delivery.id);
    return { type: "succeeded", result: "3" } as const;
  };
  const tasks = new Map([["add", { name: "add", options: {}, run: () => 3 }]]);
  const log = pino({ level: "silent" });
  const rest = () => undefined;
  const begin = async () => true;
  return {
    executor: new Executor({
      tasks,
      backend,
      begin,
      run,
      sharesProcess: true,
      worker: "w1",
      resultExpires: 60_000,
      clock: systemClock,
      log,
      rest,
    }),
    ran,
  };
}

/** A message that was taken before, so that it has to be claimed. */
function secondDelivery(): Delivery {
  const id = newId();
  const message = { id, task: "add", args: [1, 2], headers: {}, priority: 0, retries: 0, rootId: id };
  return { queue: "default", id, number: 2, endedBefore: 0, crashes: 0, token: "t", content: { type: "message", message } };
}

it("runs nothing that was asked to end while it was claimed: it is somebody else's by then", async () => {
  const { executor: asked, ran } = executor();
  const running = asked.start(secondDelivery());
  running.stop.request(new Error("the worker shuts down"));
  expect(await running.ended).toBeUndefined();
  expect(ran).toEqual([]);
});

it("runs what it has claimed", async () => {
  const { executor: asked, ran } = executor();
  const delivery = secondDelivery();
  expect(await asked.start(delivery).ended).toMatchObject({ outcome: { type: "succeeded" } });
  expect(ran).toEqual([delivery.id]);
  await backend.forget([delivery.id]);
});

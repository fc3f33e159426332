import { BullrushError, newId, type Delivery } from "@bullrush/broker";
import { pino } from "pino";
import { expect, test } from "vitest";
import { Grace } from "../../src/checks/grace.js";

const error = new BullrushError("TASK_NOT_REGISTERED", { task: "b", known: ["a"] });
const begin = 1_000_000;

/** A grace of so many ms on a clock that is set by hand, and what it logs. */
function graceOf(grace: number) {
  const clock = { at: begin, now: () => clock.at };
  const lines: unknown[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { grace: new Grace({ grace, clock, random: () => 0, log }), clock, lines };
}

function deliveryOf(unknownSince?: number): Delivery {
  const id = newId();
  const message = { id, task: "b", args: [], headers: {}, priority: 0, retries: 0, rootId: id };
  const content = { type: "message", message } as const;
  return {
    queue: "default",
    id,
    number: 1,
    endedBefore: 0,
    crashes: 0,
    token: "t",
    content,
    ...(unknownSince !== undefined && { unknownSince }),
  };
}

/** After how many ms a message is offered that nobody knows, until it fails. */
function offersIn(duration: number, expires?: number): readonly number[] {
  const { grace, clock } = graceOf(duration);
  const offers: number[] = [];
  let since: number | undefined;
  for (;;) {
    offers.push(clock.at - begin);
    const outcome = grace.outcomeOf(deliveryOf(since), "b", error, expires);
    if (outcome?.type !== "requeued" || outcome.eta === undefined || clock.at >= (expires ?? Infinity)) return offers;
    expect(outcome.eta).toBeGreaterThan(clock.at);
    since = outcome.unknownSince;
    clock.at = outcome.eta;
  }
}

test("offers a message after pauses that double from 1 s to 10 s, and for the last time when the grace is over", () => {
  expect(offersIn(35_000)).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 26_000, 35_000]);
  expect(offersIn(300_000)).toHaveLength(35);
});

test("offers it when it expires", () => {
  expect(offersIn(35_000, begin + 2500)).toEqual([0, 1000, 2000, 2500]);
});

test("puts nothing back without grace", () => {
  expect(offersIn(0)).toEqual([0]);
});

test("writes one line a minute about each task, with the number of those left out", () => {
  const { grace, clock, lines } = graceOf(300_000);
  for (let times = 0; times < 3; times++) grace.outcomeOf(deliveryOf(), "b", error);
  grace.outcomeOf(deliveryOf(), "c", error);
  clock.at += 60_000;
  grace.outcomeOf(deliveryOf(), "b", error);
  expect(lines).toMatchObject([{ task: "b" }, { task: "c" }, { task: "b", repeated: 2 }]);
});

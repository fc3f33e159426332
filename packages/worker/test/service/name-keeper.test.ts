import { BullrushError, type NameHolder, type WorkerNames } from "@bullrush/broker";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepName } from "../../src/service/name-keeper.js";

const holder = { host: "here", pid: 7, startedAt: 5000 };
const elsewhere = { host: "there", pid: 8, startedAt: Date.UTC(2026, 0, 2) };
const lines: { readonly level: number; readonly msg: string }[] = [];
const log = pino(
  { base: null, timestamp: false },
  { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) },
);

beforeEach(() => {
  vi.useFakeTimers();
  lines.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

/** Names of which some are another's. */
function namesOf(taken: Readonly<Record<string, Partial<NameHolder>>>) {
  const held = new Map(Object.entries(taken));
  const calls: string[] = [];
  const names: WorkerNames = {
    claim: async (name) => {
      calls.push(`claim ${name}`);
      return held.get(name);
    },
    release: async (name) => void calls.push(`release ${name}`),
  };
  return { names, held, calls };
}

const open = (names: WorkerNames, numbered: boolean) => keepName({ names, name: "worker@here", numbered, token: "t", holder });

test("a numbered name gets the first number that is free", async () => {
  expect((await open(namesOf({}).names, true)).name).toBe("worker@here");
  const { names, calls } = namesOf({ "worker@here": elsewhere, "worker2@here": elsewhere });
  const kept = await open(names, true);
  expect(kept.name).toBe("worker3@here");
  kept.start(log);
  await vi.advanceTimersByTimeAsync(20_000);
  await kept.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls.slice(3)).toEqual(["claim worker3@here", "release worker3@here"]);
  expect(lines).toEqual([]);
});

test("a name that was asked for is borne all the same, with one warning that says who bears it too", async () => {
  const { names, held } = namesOf({ "worker@here": elsewhere });
  const kept = await open(names, false);
  expect(kept.name).toBe("worker@here");
  kept.start(log);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lines).toEqual([
    {
      level: 40,
      host: "there",
      pid: 8,
      since: "2026-01-02T00:00:00.000Z",
      msg: expect.stringMatching(/^another worker bears this name/) as string,
    },
  ]);
  held.set("worker@here", { pid: 9 });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(lines).toHaveLength(2);
  await kept.stop();
});

test("a name that others get meanwhile is a warning", async () => {
  const { names, held } = namesOf({});
  const kept = await open(names, true);
  kept.start(log);
  held.set("worker@here", elsewhere);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(lines).toMatchObject([{ level: 40, host: "there" }]);
  await kept.stop();
});

const failing = (error: Error): WorkerNames => ({ claim: () => Promise.reject(error), release: () => new Promise<void>(() => {}) });

test("a broker that refuses keeps no worker from its start, and none from its stop", async () => {
  const refusals = [
    new BullrushError("REDIS_AUTH", { url: "redis://a", user: "u", refusal: "command-denied", reason: "NOPERM" }),
    new BullrushError("BROKER_FULL", { url: "redis://a" }),
    new BullrushError("BROKER_UNAVAILABLE", { url: "redis://a", action: "x", deadline: 1, reason: "WRONGTYPE", refusal: "wrong-type" }),
  ];
  for (const refusal of refusals) {
    const kept = await open(failing(refusal), true);
    expect(kept.name).toBe("worker@here");
    kept.start(log);
    expect(lines.splice(0)).toMatchObject([
      { level: 40, reason: refusal.message, msg: expect.stringContaining("was not claimed") as string },
    ]);
    const stopped = kept.stop();
    await vi.advanceTimersByTimeAsync(1000);
    await stopped;
  }
});

test("a broker that cannot be reached does", async () => {
  const error = new BullrushError("BROKER_UNAVAILABLE", { url: "redis://a", action: "x", deadline: 1, reason: "ECONNREFUSED" });
  await expect(open(failing(error), true)).rejects.toMatchObject({ details: { ...error.details, action: "the worker did not start" } });
});

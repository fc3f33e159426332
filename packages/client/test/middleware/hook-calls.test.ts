import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HookCalls } from "../../src/middleware/hook-calls.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const event = { worker: "w", queues: [] } as const;

/** Hooks of which one hangs until it is released, and what is said of it. */
function openHanging() {
  const problems: [string, unknown][] = [];
  const releases: (() => void)[] = [];
  const told: string[] = [];
  const hooks = new HookCalls((text, cause) => void problems.push([text, cause]));
  hooks.add({ name: "hangs", on: { workerReady: () => new Promise<void>((resolve) => releases.push(resolve)) } });
  hooks.add({ name: "well", on: { workerReady: () => void told.push("well") } });
  return { problems, releases, told, hooks };
}

const hangs = ['the hook "workerReady" of middleware "hangs" hangs', "it has not ended after 10000 ms"];

it("a hook that has not ended after 10 s: it is reported once, and the others are told at once", async () => {
  const { problems, told, hooks } = openHanging();
  hooks.tell("workerReady", event);
  hooks.tell("workerReady", event);
  expect(told).toEqual(["well", "well"]);
  await vi.advanceTimersByTimeAsync(9999);
  expect(problems).toEqual([]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(problems).toEqual([hangs]);
});

it("a hook that ends within 10 s: nothing is reported", async () => {
  const { problems, releases, hooks } = openHanging();
  hooks.tell("workerReady", event);
  releases.forEach((release) => release());
  await vi.advanceTimersByTimeAsync(60_000);
  expect(problems).toEqual([]);
});

it("a hook that hangs again later: it is reported again", async () => {
  const { problems, hooks } = openHanging();
  hooks.tell("workerReady", event);
  await vi.advanceTimersByTimeAsync(10_000);
  hooks.tell("workerReady", event);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(problems).toEqual([hangs, hangs]);
});

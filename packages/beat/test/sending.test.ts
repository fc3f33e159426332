import { createApp, type BeatEntry } from "@bullrush/client";
import { pino } from "pino";
import { expect, it } from "vitest";
import { Timetables } from "../src/entry.js";
import { openMetrics } from "../src/metrics.js";
import { Sending } from "../src/sending.js";

function openSending(beat: Readonly<Record<string, BeatEntry>> = {}) {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const app = createApp({ broker: "redis://127.0.0.1:1", beat });
  const sending = new Sending({ app, timetables: new Timetables(app.options), metrics: openMetrics(), log, random: () => 0 });
  return { sending, lines };
}

const stored = { version: "v", origin: "runtime", paused: false, createdAt: 0, count: 0, due: 10_000 } as const;

it("more than 256 Ki characters: the step takes fewer ticks, and the rest stays due", () => {
  const { sending, lines } = openSending();
  const call = { task: "t", schedule: { type: "every", every: 10_000 }, catchUp: "all", args: ["x".repeat(100_000)] } as const;
  const step = sending.step({ ...stored, name: "big", call }, 51_500)!;
  expect(step.advance.ticks.map(({ due }) => due)).toEqual([10_000, 20_000]);
  expect(step.advance.next).toBe(30_000);
  expect(sending.done(step, { sent: 2, overlapped: 0, duplicates: 0 }, 51_500)).toBe(true);
  expect(lines[0]).toMatchObject({ msg: "missed", missed: 2, more: true, sent: 2 });
});

it("missed ticks of which some overlap: the line says how many were sent", () => {
  const { sending, lines } = openSending();
  const call = { task: "t", schedule: { type: "every", every: 10_000 }, catchUp: "all", overlap: "skip" } as const;
  const step = sending.step({ ...stored, name: "slow", call }, 51_500)!;
  sending.done(step, { sent: 1, overlapped: 4, duplicates: 0 }, 51_500);
  expect(lines).toMatchObject([
    { msg: "missed", missed: 5, sent: 1 },
    { msg: "sent", late: 41_500 },
    { msg: "overlap", ticks: 4 },
  ]);
});

it.each([
  ["nothing that can be shown", () => Object.create(null) as Error, "{}"],
  ["an error with a password", () => new Error("no redis://me:secret@host"), "no redis://***@host"],
])("function that throws %s: the entry rests", (_, thrown, reason) => {
  const schedule = () => {
    throw thrown();
  };
  const { sending, lines } = openSending({ own: { task: "t", schedule } });
  expect(sending.step({ ...stored, name: "own", call: { task: "t", schedule: { type: "function" } } }, 10_000)).toBeUndefined();
  expect(lines).toMatchObject([{ level: 50, entry: "own", msg: "the entry does not tick", reason }]);
});

it("call that cannot be routed: the entry rests and stays due", () => {
  const { sending, lines } = openSending();
  const call = { task: "t", schedule: { type: "every", every: 10_000 }, options: { queue: "a:b" } } as const;
  expect(sending.step({ ...stored, name: "nowhere", call }, 10_000)).toBeUndefined();
  expect(lines).toMatchObject([{ entry: "nowhere", msg: "the entry does not tick" }]);
});

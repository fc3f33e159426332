import { pino } from "pino";
import { expect, it } from "vitest";
import { ClockWatch } from "../src/clock-watch.js";

it("clocks that differ and agree again: logged once each time", () => {
  const lines: { readonly level: number; readonly seconds: number }[] = [];
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[0]) });
  let ahead = 0;
  const watch = new ClockWatch({ now: () => 1_000_000 + ahead }, log);
  for (const offset of [0, 1999, 2001, 3_600_000, 0, -1000, -5000, 10]) {
    ahead = offset;
    watch.compare(1_000_000, 0);
  }
  expect(lines.map(({ level, seconds }) => [level, seconds])).toEqual([
    [40, 2.001],
    [30, 0],
    [40, -5],
    [30, 0.01],
  ]);
});

it("answer late by 0.9 s: its middle counts; by more than 1 s: ignored", () => {
  const lines: string[] = [];
  const watch = new ClockWatch({ now: () => 1_002_400 }, pino({}, { write: (line) => void lines.push(line) }));
  watch.compare(1_000_000, 900);
  watch.compare(1_000_000, 1001);
  expect(lines).toEqual([]);
});

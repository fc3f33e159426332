import { createBeat } from "@bullrush/beat";
import { pino } from "pino";
import { expect, it } from "vitest";
import { openProxy } from "../lib/proxy.js";
import { eventually } from "../lib/eventually.js";
import { redisUrl } from "../lib/redis-url.js";
import { openStage, type Stage } from "./stage.js";

function openBeat(stage: Stage) {
  const lines: { readonly msg: string }[] = [];
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line) as { readonly msg: string }) });
  return { beat: createBeat(stage.app, { log }), lines };
}

it("stop before start: does not begin", async () => {
  await using stage = openStage({ often: { task: "t", schedule: "1s" } });
  const { beat, lines } = openBeat(stage);
  await beat.stop();
  await beat.start();
  expect(lines).toEqual([]);
  expect(await stage.app.engine.schedules.campaign()).toBeDefined();
});

it("stop during start: makes way", async () => {
  await using stage = openStage({ often: { task: "t", schedule: "1s" } });
  const { beat, lines } = openBeat(stage);
  const starting = beat.start();
  await beat.stop();
  expect(await stage.app.engine.schedules.campaign()).toBeDefined();
  await starting;
  expect(lines).toEqual([]);
});

it("planned before an outage, not to be caught up with: not sent", async () => {
  await using stage = openStage({ often: { task: "beat.add", args: [1, 2], schedule: "1s", catchUp: "skip" } });
  await using proxy = await openProxy(redisUrl());
  const beat = stage.beat({ broker: proxy.url });
  await beat.waitForEntry({ msg: "leading" });
  const hold = proxy.hold("scheduledAt");
  await hold.held;
  proxy.refuse();
  proxy.reset();
  hold.letGo();
  // Longer than the store tries by itself.
  const until = Date.now() + 6000;
  await eventually("time passes", () => Date.now() > until);
  proxy.heal();
  await beat.waitForEntry({ msg: "sent" });
  expect(await beat.stop()).toEqual({ code: 0, signal: null });
  const about = beat.entries.filter(({ msg }) => msg === "sent" || msg === "missed");
  expect(about[0]).toMatchObject({ msg: "missed", catchUp: "skip", sent: 0 });
  expect(about.filter(({ late }) => Number(late) > 1500)).toEqual([]);
});

it("batch with a spoilt entry: holds up only that entry", async () => {
  const startAt = new Date(Date.now() + 1000);
  const entry = { task: "beat.add", schedule: "1s", startAt } as const;
  await using stage = openStage({ bad: entry, good: entry, other: entry });
  const { engine } = stage.app;
  const { schedules: store } = engine;
  // What no message can do today: it makes the whole call fail, and not only its entry.
  const spoilt: typeof store = {
    ...store,
    advance: async (term, advances) => {
      if (advances.some(({ name, ticks }) => name === "bad" && ticks.length > 0)) throw new TypeError("spoilt");
      return store.advance(term, advances);
    },
  };
  Object.defineProperty(stage.app, "engine", { value: { ...engine, schedules: spoilt } });
  const { beat, lines } = openBeat(stage);
  await beat.start();
  await eventually("the others are sent", () => lines.filter(({ msg }) => msg === "sent").length >= 4);
  await beat.stop();
  expect(lines.filter(({ msg }) => msg === "the entry does not tick")).toMatchObject([{ entry: "bad", reason: "spoilt" }]);
});

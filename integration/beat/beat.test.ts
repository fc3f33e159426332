import { createBeat } from "@bullrush/beat";
import { pino } from "pino";
import { expect, it } from "vitest";
import { openProxy } from "../lib/proxy.js";
import { eventually } from "../support/eventually.js";
import { redisUrl } from "../support/redis-url.js";
import { openStage, type Stage } from "./stage.js";

function openBeat(stage: Stage) {
  const lines: { readonly msg: string }[] = [];
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line) as { readonly msg: string }) });
  return { beat: createBeat(stage.app, { log }), lines };
}

it("does not begin when it was told to stop before", async () => {
  await using stage = openStage({ often: { task: "t", schedule: "1s" } });
  const { beat, lines } = openBeat(stage);
  await beat.stop();
  await beat.start();
  expect(lines).toEqual([]);
  expect(await stage.app.schedules.campaign()).toBeDefined();
});

it("makes way when it is told to stop while it starts", async () => {
  await using stage = openStage({ often: { task: "t", schedule: "1s" } });
  const { beat, lines } = openBeat(stage);
  const starting = beat.start();
  await beat.stop();
  expect(await stage.app.schedules.campaign()).toBeDefined();
  await starting;
  expect(lines).toEqual([]);
});

it("sends nothing that was planned before an outage and is not to be caught up with", async () => {
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
  await eventually("time passes", () => Date.now() > until, 10_000);
  proxy.heal();
  await beat.waitForEntry({ msg: "sent" });
  expect(await beat.stop()).toEqual({ code: 0, signal: null });
  const about = beat.entries.filter(({ msg }) => msg === "sent" || msg === "missed");
  expect(about[0]).toMatchObject({ msg: "missed", catchUp: "skip", sent: 0 });
  expect(about.filter(({ late }) => Number(late) > 1500)).toEqual([]);
}, 30_000);

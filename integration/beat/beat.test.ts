import { createBeat } from "@bullrush/beat";
import { pino } from "pino";
import { expect, it } from "vitest";
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

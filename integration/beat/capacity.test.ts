import { expect, it } from "vitest";
import { eventually } from "../lib/eventually.js";
import { openStage, type Stage } from "./stage.js";

const names = Array.from({ length: 1000 }, (_, index) => `entry-${index}`);

/**
 * Stores all entries with one start that none of them was stored after: such an entry would wait
 * for its next hour.
 */
async function setAll(stage: Stage, lead = 2000): Promise<void> {
  const startAt = new Date(Date.now() + lead);
  const schedule = { task: "beat.add", args: [1, 2], schedule: "1h", startAt } as const;
  for (let from = 0; from < names.length; from += 500)
    await Promise.all(names.slice(from, from + 500).map((name) => stage.app.beat.set(name, schedule)));
  if (Date.now() >= startAt.getTime()) await setAll(stage, 2 * lead);
}

it("a thousand entries that are due at once are sent, each once", async () => {
  await using stage = openStage({});
  await setAll(stage);
  const beat = stage.beat();
  await eventually("all are sent", async () => (await stage.taken()).length >= names.length);
  expect(await beat.stop()).toEqual({ code: 0, signal: null });
  expect((await stage.taken()).map(({ entry }) => entry).toSorted()).toEqual(names.toSorted());
});

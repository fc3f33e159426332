import { expect, it } from "vitest";
import { eventually } from "../lib/eventually.js";
import { openStage } from "./stage.js";

it("a thousand entries that are due at once are sent, each once", async () => {
  await using stage = openStage({});
  const schedule = { task: "beat.add", args: [1, 2], schedule: "1h", startAt: new Date(Date.now() + 2000) } as const;
  const names = Array.from({ length: 1000 }, (_, index) => `entry-${index}`);
  for (let from = 0; from < names.length; from += 500)
    await Promise.all(names.slice(from, from + 500).map((name) => stage.app.beat.set(name, schedule)));
  const beat = stage.beat();
  await eventually("all are sent", async () => (await stage.taken()).length >= names.length);
  expect(await beat.stop()).toEqual({ code: 0, signal: null });
  expect((await stage.taken()).map(({ entry }) => entry).toSorted()).toEqual(names.toSorted());
});

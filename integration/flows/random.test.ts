import { describe, expect, test } from "vitest";
import { openFleet } from "../lib/fleet.js";
import { runs } from "../lib/long.js";
import { places } from "../lib/places.js";
import { canvasOf } from "./canvas-of.js";
import { expectAllExpire, expectNothingLeft } from "./left.js";
import { histogram, shapes } from "./shape.js";
import { valueOf } from "./value-of.js";

const count = runs(60, 200);
const seed = Number(process.env["BULLRUSH_SEED"] ?? 20_261_121);

describe("random canvases on three workers", () => {
  const all = shapes(count, seed);

  test.each(places)(`${count} of them have the values that one process computes, results $results`, async ({ results: place, backend }) => {
    await using fleet = openFleet({ backend: await backend(), worker: { concurrency: 20 } });
    for (const name of ["first", "second", "third"]) fleet.start(name);
    const sent = await Promise.all(all.map((shape) => canvasOf(fleet.app, shape).delay()));
    const values = await Promise.all(sent.map((one) => one.get({ timeout: "100s" })));
    console.log(`${count} canvases (BULLRUSH_SEED=${seed}), results ${place}\n${histogram(all)}`);
    for (const [index, shape] of all.entries()) {
      expect({ shape, value: values[index] }).toEqual({ shape, value: valueOf(shape) });
    }
    await expectNothingLeft(fleet);
    await expectAllExpire(await backend());
  });
});

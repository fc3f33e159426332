import { expect, test } from "vitest";
import { openFleet } from "../lib/fleet.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { runs } from "../lib/long.js";
import { places } from "../lib/places.js";
import { eventually } from "../lib/eventually.js";
import { canvasOf } from "./canvas-of.js";
import { expectNothingLeft } from "./left.js";
import { lengthOf, shapes } from "./shape.js";
import { valueOf } from "./value-of.js";

/** Canvases, some at a time, and a kill while none of these has ended. */
const [count, together] = [runs(20, 50), 10];

test.concurrent.each(places)(
  `${count} random canvases come to what they come to in one process, though a worker is killed during each, results $results`,
  async ({ results: place, backend }) => {
    await using fleet = openFleet({ backend: await backend(), worker: { lease: "1500ms", scan: "200ms", concurrency: 10 } });
    const { app, ledger } = fleet;
    const workers = ["first", "second", "third"].map((name) => fleet.supervise(name));
    const died: number[] = [];
    for (let first = 0; first < count; first += together) {
      // Long enough for none to have ended when the kill comes, as what ends in an empty group has
      // from the beginning.
      const batch = shapes(100, first)
        .filter((shape) => lengthOf(shape) >= 3 && JSON.stringify(valueOf(shape)).includes('"'))
        .slice(0, together);
      const victim = workers[(first / together) % workers.length]!.current();
      await victim.waitForEntry({ msg: "ready" });
      const sent = await Promise.all(batch.map((shape) => canvasOf(app, shape).stamp({ ms: 200 }).delay()));
      await eventually("it runs some of them", () => ledger.runningIn(victim.pid).length > 0);
      const running = ledger.runningIn(victim.pid);
      await victim.kill();
      died.push(running.length);
      // The kill came in time: on a busy machine a short one may have ended before.
      const ended = await Promise.all(sent.map((one) => one.ready()));
      expect(ended).toContain(false);
      const values = await Promise.all(sent.map((one) => one.get({ timeout: hangTimeout })));
      for (const [index, shape] of batch.entries()) expect({ shape, value: values[index] }).toEqual({ shape, value: valueOf(shape) });
      const starts = ledger.starts();
      // One or the other may have been settled in the moment of the kill.
      expect(running.some((id) => (starts.get(id) ?? 0) > 1)).toBe(true);
    }
    console.log(`${count} canvases, results ${place}: a kill during each ${together}, tasks running at it: ${died.join(" ")}`);
    await expectNothingLeft(fleet);
  },
);

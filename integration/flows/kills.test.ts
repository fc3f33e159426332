import { expect, test } from "vitest";
import { openFleet } from "../lib/fleet.js";
import { places } from "../lib/places.js";
import { eventually } from "../support/eventually.js";
import { canvasOf } from "./canvas-of.js";
import { expectNothingLeft } from "./left.js";
import { shapes } from "./shape.js";
import { valueOf } from "./value-of.js";

/** 50 canvases, some at a time, and a kill while none of these has ended. */
const [count, together] = [50, 10];

test.each(places)(
  `${count} random canvases come to what they come to in one process, though a worker is killed during each, results $results`,
  { timeout: 180_000 },
  async ({ results: place, backend }) => {
    await using fleet = openFleet({ backend: await backend(), worker: { lease: "1500ms", scan: "200ms", concurrency: 10 } });
    const { app, ledger } = fleet;
    const workers = ["first", "second", "third"].map((name) => fleet.supervise(name));
    const died: number[] = [];
    for (let first = 0; first < count; first += together) {
      const lot = shapes(together, first);
      const victim = workers[(first / together) % workers.length]!.current();
      await victim.waitForEntry({ msg: "ready" }, 60_000);
      const sent = await Promise.all(lot.map((shape) => canvasOf(app, shape).stamp({ ms: 150 }).delay()));
      await eventually("it runs some of them", () => ledger.runningIn(victim.pid).length > 1);
      const running = ledger.runningIn(victim.pid);
      await victim.kill();
      died.push(running.length);
      const ended = await Promise.all(sent.map((one) => one.ready()));
      // Those without a call have ended before they began.
      const early = lot.filter((shape, index) => ended[index] === true && JSON.stringify(valueOf(shape)) !== "[]");
      expect(early, "a kill comes while none has ended").toEqual([]);
      const values = await Promise.all(sent.map((one) => one.get({ timeout: "60s" })));
      for (const [index, shape] of lot.entries()) expect(values[index], JSON.stringify(shape)).toEqual(valueOf(shape));
      const starts = ledger.starts();
      for (const id of running) expect(starts.get(id)).toBeGreaterThan(1);
    }
    console.log(`${count} canvases, results ${place}: a kill during each ${together}, tasks running at it: ${died.join(" ")}`);
    await expectNothingLeft(fleet);
  },
);

import { expect, it } from "vitest";
import { eventually } from "../lib/eventually.js";
import { openFleet } from "../lib/fleet.js";
import { hangTimeout } from "../lib/hang-timeout.js";

it.each([
  { lease: 2000, scan: 500 },
  { lease: 15_000, scan: 5000 },
])("a killed worker's task runs elsewhere after its lease and two scans, $lease ms and $scan ms", async ({ lease, scan }) => {
  await using fleet = openFleet({ worker: { lease, scan } });
  const { app, ledger } = fleet;
  const first = fleet.start("first");
  const sent = await app.sendTask("linger", [60_000, 0, "first"]);
  await eventually("it has begun", () => ledger.of(sent.id).length === 1);
  await fleet.start("second").waitForEntry({ msg: "ready" });
  const killedAt = Date.now();
  await first.kill();
  expect(await sent.get({ timeout: hangTimeout })).toBe("second");
  const took = (ledger.of(sent.id)[1]?.at ?? Infinity) - killedAt;
  console.log(`lease ${lease} ms, scan ${scan} ms: ran elsewhere ${took} ms after the kill`);
  expect(took).toBeLessThan(lease + 2 * scan + 1000);
});

it("task that a stopping worker puts back: starts elsewhere within a second", async () => {
  await using fleet = openFleet({ worker: { lease: "15s", shutdownTimeout: "500ms" } });
  const { app, ledger } = fleet;
  const first = fleet.start("first");
  const sent = await app.sendTask("linger", [60_000, 0, "first"]);
  await eventually("it has begun", () => ledger.of(sent.id).length === 1);
  await fleet.start("second").waitForEntry({ msg: "ready" });
  expect(await first.stop()).toEqual({ code: 0, signal: null });
  const endedAt = Date.now();
  expect(await sent.get({ timeout: hangTimeout })).toBe("second");
  expect((ledger.of(sent.id)[1]?.at ?? Infinity) - endedAt).toBeLessThan(1000);
});

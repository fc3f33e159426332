import { setTimeout as pause } from "node:timers/promises";
import type { AsyncResult } from "@bullrush/client";
import { expect, test } from "vitest";
import { places } from "../lib/places.js";
import { long } from "../lib/long.js";
import { openFleet, type Fleet, type Supervised } from "../lib/fleet.js";
import { expectQuiet } from "../lib/quiet.js";

interface Storm {
  readonly tasks: number;
  /** How long each task takes, and the time between two kills, in ms. */
  readonly hold: number;
  readonly every: number;
  /** Most kills. */
  readonly kills: number;
  /** Of the workers, in ms. */
  readonly lease: number;
  readonly scan: number;
}

/** With fewer kills than a task may crash, so that none can be given up by mischance. */
const short: Storm = { tasks: 200, hold: 300, every: 1000, kills: 5, lease: 2000, scan: 250 };

/** With the leases of production. */
const production: Storm = { tasks: 2000, hold: 500, every: 2000, kills: Infinity, lease: 15_000, scan: 5000 };

const given = long ? production : short;

test.each(places)(
  `${given.tasks} tasks survive a storm of kills, each with one result $results`,
  { timeout: 300_000 },
  async ({ results: place, backend }) => {
    const { lease, scan } = given;
    await using fleet = openFleet({ backend: await backend(), worker: { lease, scan, concurrency: 10 } });
    const { app, ledger } = fleet;
    const begun = Date.now();
    const sent: AsyncResult<number>[] = await Promise.all(
      Array.from({ length: given.tasks }, (_, number) => app.sendTask<number>("square", [number, given.hold])),
    );
    const workers = ["first", "second", "third"].map((name) => fleet.supervise(name));
    const results = Promise.all(sent.map((one) => one.get({ timeout: "280s" })));
    const kills = await killInTurn(fleet, workers, results);
    expect(await results).toEqual(sent.map((_, number) => number * number));

    const starts = ledger.starts();
    const counts = [...starts.values()];
    const died = new Set(kills.flat());
    console.log(
      [
        `${given.tasks} tasks of ${given.hold} ms, results ${place}, lease ${lease} ms, scan ${scan} ms: ${((Date.now() - begun) / 1000).toFixed(1)} s`,
        `${kills.length} kills, running at each: ${kills.map(({ length }) => length).join(" ")}`,
        `${died.size} tasks died at least once, ${counts.filter((count) => count > 1).length} ran more than once, one ${Math.max(...counts)} times`,
        `${counts.reduce((sum, count) => sum + count, 0)} starts for ${given.tasks} results`,
      ].join("\n"),
    );
    expect(kills.length).toBeGreaterThan(1);
    expect(died.size).toBeGreaterThan(0);
    // Every task that died has run again.
    for (const id of died) expect(starts.get(id)).toBeGreaterThan(1);
    await expectQuiet(fleet);
    // The result that each had first is the one that stands.
    expect(await Promise.all(sent.map((one) => one.result()))).toEqual(await results);
  },
);

/**
 * Kills one worker after the other, each once it consumes, until all tasks have ended. Returns the
 * tasks that were running then.
 */
async function killInTurn({ ledger }: Fleet, workers: readonly Supervised[], results: Promise<unknown>): Promise<readonly string[][]> {
  const deaths: string[][] = [];
  const over = new AbortController();
  const end = results.then(
    () => over.abort(),
    () => over.abort(),
  );
  for (let turn = 0; deaths.length < given.kills && !over.signal.aborted; turn++) {
    const next = Date.now() + given.every;
    const victim = workers[turn % workers.length]!.current();
    await Promise.race([end, victim.waitForEntry({ msg: "ready" })]);
    await pause(Math.max(0, next - Date.now()), undefined, { signal: over.signal }).catch(() => undefined);
    if (over.signal.aborted) break;
    await victim.kill();
    deaths.push([...ledger.runningIn(victim.pid)]);
  }
  await end;
  return deaths;
}

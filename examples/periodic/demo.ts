// npm run demo [-- --speed 10], here: a worker, two beats, and the tasks that they send. Then the
// demo stops the leading beat, and the other one continues. It starts a private Redis, or uses
// databases 7 and 8 of the one at BULLRUSH_DEMO_REDIS_URL.
import { deepEqual, equal } from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { ListedEntry } from "bullrush";
import { openRedis } from "bullrush/embedded";
import { Stage } from "../stage.js";

const { speed = "10" } = parseArgs({ options: { speed: { type: "string" } } }).values;
process.env["PERIODIC_SPEED"] = speed;
// The module reads the speed when it is loaded.
const { app } = await import("./tasks.js");

const stage = new Stage(import.meta.url);
const results: Readonly<Record<string, number>> = { taskA_schedule: 11, taskB_schedule: 60, add_schedule: 3 };

await stage.play(async () => {
  const url = process.env["BULLRUSH_DEMO_REDIS_URL"];
  const redis = await openRedis(url ? { url } : {});
  stage.atEnd(() => redis.stop());
  stage.atEnd(() => app.close());
  const broker = database(redis.url, 7);
  const backend = database(redis.url, 8);
  app.override({ broker, backend });
  const environment = { BULLRUSH_BROKER_URL: broker, BULLRUSH_RESULT_BACKEND: backend, PERIODIC_SPEED: speed };
  for (const { name } of await app.beat.list()) await app.beat.remove(name);
  console.log(`Redis: ${redis.description}; ${speed} times as fast as tasks.ts says`);

  stage.step("A worker and two beats, of which one leads");
  await stage.worker(["-A", "./tasks.ts"], environment);
  const first = await stage.beat(["-A", "./tasks.ts", "-n", "beat1@%h"], environment);
  await stage.beat(["-A", "./tasks.ts", "-n", "beat2@%h"], environment);

  stage.step("Each entry ticks, and the worker runs its task");
  for (const entry of await ticked(1)) await show(entry);

  stage.step("The beat that leads is stopped, and the other one goes on");
  const before = await count();
  await first.stop();
  const after = await ticked(before + 2);
  deepEqual(
    after.map(({ name }) => name),
    Object.keys(results).toSorted(),
  );
  for (const { name, count } of after) stage.say(`${name.padEnd(15)} has ticked ${count} times`);
  console.log("\nAll as it should be. Stopping everything");
});

/**
 * The entries, once each has ticked, and `add_schedule`, the most frequent, at least `times` times.
 */
async function ticked(times: number): Promise<readonly ListedEntry[]> {
  for (;;) {
    const entries = await app.beat.list();
    if (entries.every(({ count }) => count > 0) && (await count()) >= times) return entries;
    await pause(50);
  }
}

async function count(): Promise<number> {
  const entries = await app.beat.list();
  return entries.find(({ name }) => name === "add_schedule")?.count ?? 0;
}

/** Shows the result of the last task of an entry. Throws unless the result fits the arguments. */
async function show({ name, last }: ListedEntry): Promise<void> {
  if (last === undefined) throw new Error(`${name} has not ticked`);
  const value = await app.asyncResult<number>(last.id).get({ timeout: "10s" });
  stage.say(`${name.padEnd(15)} → ${value}`);
  equal(value, results[name], `${name} should have given ${results[name]}`);
}

/** `url` with database `number`. */
function database(url: string, number: number): string {
  return Object.assign(new URL(url), { pathname: `/${number}` }).href;
}

import { fileURLToPath } from "node:url";
import { afterEach, expect, inject, test } from "vitest";
import { commandOf, start, type Started } from "../process.js";

const folder = fileURLToPath(new URL(".", import.meta.url));
const started: Started[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.stop()));
});

function run(command: string, args: readonly string[], environment: Readonly<Record<string, string>>): Started {
  const process = start(command, args, { folder, environment });
  started.push(process);
  return process;
}

test("the demo shows ticks, their results and a takeover, and ends with 0", async () => {
  const demo = run(commandOf("jiti", import.meta.url), ["demo.ts", "--speed", "100"], { BULLRUSH_DEMO_REDIS_URL: inject("redisUrl") });
  expect([await demo.ended, demo.output()]).toEqual([0, expect.stringContaining("All as it should be")]);
  const output = demo.output();
  for (const result of ["taskA_schedule  → 11", "taskB_schedule  → 60", "add_schedule    → 3"]) expect(output).toContain(result);
  expect(output).toMatch(/beat1 +sent +tasks\.taskB\[.* of taskB_schedule/);
  expect(output).toMatch(/beat2 +leading[^]*beat2 +sent .* of add_schedule/);
  expect(output).toMatch(/worker +succeeded +tasks\.taskA\[/);
});

test("dry run: prints the ticks of tasks.ts", async () => {
  const beat = run(
    commandOf("bullrush", import.meta.url, "task-beat"),
    ["-A", "./tasks.ts", "--dry-run", "--from", "2026-01-01T00:00:00Z", "--for", "201s", "--json", "--show-args"],
    { BULLRUSH_BROKER_URL: Object.assign(new URL(inject("redisUrl")), { pathname: "/9" }).href },
  );
  expect(await beat.ended).toBe(0);
  const ticks = beat
    .output()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { due: string; entry: string; args: readonly number[] });
  const of = (entry: string) => ticks.filter((tick) => tick.entry === entry);
  expect(["taskA_schedule", "taskB_schedule", "add_schedule"].map((entry) => of(entry).length)).toEqual([10, 1, 20]);
  expect(of("taskB_schedule")).toMatchObject([{ due: "2026-01-01T00:03:20.000Z", args: [10, 20, 30] }]);
  expect(of("add_schedule")[0]).toMatchObject({ due: "2026-01-01T00:00:10.000Z", args: [1, 2] });
});

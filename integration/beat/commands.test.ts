import { crontab } from "@bullrush/client";
import { expect, it } from "vitest";
import { eventually } from "../lib/eventually.js";
import { freePort } from "../lib/server.js";
import { duesOf, grid, openStage } from "./stage.js";

const add = { task: "beat.add", args: [1, 2] } as const;
const done = { code: 0, signal: null };
const misused = { code: 2, signal: null };

it.concurrent("--dry-run prints what would be sent, from the options and the store, and sends nothing", async () => {
  await using stage = openStage({ berlin: { ...add, schedule: crontab("30 2 * * *", { timezone: "Europe/Berlin" }) } });
  await stage.app.beat.set("often", { ...add, schedule: "30m", startAt: new Date("2026-03-29T00:00:00Z"), limit: 4 });
  await stage.app.beat.set("paused", { ...add, schedule: "1m" });
  await stage.app.beat.pause("paused");
  const plain = stage.beat({ args: ["--dry-run", "--from", "2026-03-29T00:30", "--for", "90m"] });
  expect(await plain.exit).toEqual(done);
  expect(plain.lines).toEqual([
    "2026-03-29T00:30:00.000Z  often  beat.add",
    "2026-03-29T01:00:00.000Z  often  beat.add",
    "2026-03-29T01:30:00.000Z  often  beat.add",
    "2026-03-29T01:30:00.000Z  berlin  beat.add",
  ]);
  const json = stage.beat({ args: ["--dry-run", "--from", "2026-10-25T02:00:00+02:00", "--json", "--show-args"] });
  expect(await json.exit).toEqual(done);
  expect(json.entries.filter(({ entry }) => entry === "berlin")).toEqual([
    { due: "2026-10-25T00:30:00.000Z", entry: "berlin", task: "beat.add", args: [1, 2] },
  ]);
  expect(await stage.taken()).toEqual([]);
});

it.concurrent("--dry-run: reports an entry that it cannot compute, and prints the others", async () => {
  await using stage = openStage({ good: { ...add, schedule: "30m" } });
  await stage.app.engine.schedules.set({ name: "bad", call: { task: "beat.add", schedule: { type: "crontab", expression: "no" } } });
  const beat = stage.beat({ args: ["--dry-run"] });
  expect(await beat.exit).toEqual({ code: 1, signal: null });
  expect(beat.lines.map((line) => line.split("  ").slice(1))).toEqual([["good", "beat.add"]]);
  expect(beat.errors).toEqual([expect.stringContaining('entry "bad" cannot be computed') as string]);
});

it.concurrent("planted entry: escaped in the terminal, in lines of bounded length", async () => {
  const name = `\u001b[2J\u009b31m\u202ex\n2026-01-01T00:00:00.000Z  forged  beat.add`;
  await using stage = openStage({});
  for (const planted of [name, `long-${"x".repeat(1_000_000)}`]) {
    await stage.app.engine.schedules.set({ name: planted, call: { task: planted, schedule: { type: "every", every: 1_800_000 } } });
  }
  for (const args of [["--list"], ["--list", "--json"], ["--dry-run"], ["--dry-run", "--json"]]) {
    const beat = stage.beat({ args });
    // What is planted is no entry: it is listed as spoilt, and cannot be computed.
    expect(await beat.exit).toEqual({ code: args.includes("--dry-run") ? 1 : 0, signal: null });
    const lines = [...beat.lines, ...beat.errors];
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join("")).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(lines.filter((line) => line.startsWith("2026-01-01"))).toEqual([]);
    if (!args.includes("--json")) expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(2000);
  }
});

it.concurrent("--list prints the entries with their last and next runs", async () => {
  await using stage = openStage({ nightly: { ...add, schedule: crontab("0 3 * * *") }, often: { ...add, schedule: "100ms" } });
  const before = stage.beat({ args: ["--list", "--json"] });
  expect(await before.exit).toEqual(done);
  expect(before.entries).toMatchObject([{ name: "nightly", origin: "options", count: 0 }, { name: "often" }]);
  expect(before.lines.join()).not.toContain('"args"');
  const beat = stage.beat();
  await beat.waitForEntry({ msg: "sent", entry: "often" });
  await beat.stop();
  const after = stage.beat({ args: ["--list", "--json"] });
  expect(await after.exit).toEqual(done);
  expect(after.entries).toMatchObject([{ next: expect.stringMatching(/T03:00:00/) as string }, { last: { queue: "one" } }]);
  const table = stage.beat({ args: ["--list"] });
  expect(await table.exit).toEqual(done);
  expect(table.lines.find((line) => line.includes("nightly"))).toContain("crontab 0 3 * * *");
});

it.concurrent("--metrics-port: serves the metrics", async () => {
  await using stage = openStage({ often: { ...add, schedule: "100ms" } });
  const port = await freePort();
  const beat = stage.beat({ args: ["--metrics-port", String(port)] });
  await beat.waitForEntry({ msg: "sent", entry: "often" });
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(await response.text()).toMatch(
    /^beat_tick_lateness_seconds_bucket\{le="0\.001"\} \d+$[^]*^beat_tick_lateness_seconds_count [1-9]/m,
  );
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
  expect(await beat.stop()).toEqual(done);
});

it.concurrent("entries set, paused, resumed or removed: take effect at once", async () => {
  await using stage = openStage({});
  const beat = stage.beat({ args: ["--max-interval", "1h"] });
  await beat.waitForEntry({ msg: "leading" });
  await stage.app.beat.set("often", { ...add, schedule: "200ms" });
  await beat.waitForEntry({ msg: "sent", entry: "often" });
  await stage.app.beat.pause("often");
  const paused = (await stage.app.beat.list())[0]?.count ?? 0;
  const sent = () => beat.entries.filter(({ msg }) => msg === "sent").length;
  await eventually("it has settled", () => sent() === paused);
  await stage.app.beat.resume("often");
  await eventually("it goes on", () => sent() > paused + 2);
  expect(beat.entries.some(({ msg }) => msg === "missed")).toBe(false);
  expect(await stage.app.beat.remove("often")).toBe(true);
  expect(await beat.stop()).toEqual(done);
  const dues = duesOf(await stage.taken(), "often");
  expect(dues.filter((due) => !grid(dues, 200).includes(due))).toEqual([]);
});

it.concurrent.each([
  ["interval", "1s"],
  ["crontab", crontab("* * * * * *")],
] as const)("server's clock goes back: waits for no %s longer than it says", async (_, schedule) => {
  await using stage = openStage({ often: { ...add, schedule } });
  const before = stage.beat();
  await before.waitForEntry({ msg: "sent", entry: "often" });
  await before.stop();
  await stage.redis.zadd(`bullrush:beat:${stage.app.options.prefix}:${stage.app.options.name}:due`, Date.now() + 3_600_000, "often");
  const after = stage.beat();
  await after.waitForEntry({ msg: "sent", entry: "often" });
  expect(await after.stop()).toEqual(done);
});

it.concurrent("entry that cannot be sent: logged, and the others are sent", async () => {
  await using stage = openStage({
    bad: { task: "beat.add", args: [1, 2], schedule: "200ms", options: { queue: "broken" } },
    good: { ...add, schedule: "200ms" },
  });
  await stage.redis.set(`${stage.app.options.prefix}:broken:wait`, "not a list");
  const beat = stage.beat();
  await beat.waitForEntry({ msg: "the entry does not tick", entry: "bad", level: 50 });
  await eventually("the other one ticks", () => beat.entries.filter(({ msg, entry }) => msg === "sent" && entry === "good").length > 5);
  expect(beat.entries.filter(({ entry }) => entry === "bad").length).toBeLessThan(5);
  expect(await beat.stop()).toEqual(done);
});

it.concurrent.each(["SIGTERM", "SIGHUP"] as const)("task-worker -B sends what it runs, and stops the beat first: %s", async (signal) => {
  await using stage = openStage({ often: { ...add, schedule: "200ms" } });
  const worker = stage.worker();
  await worker.waitForEntry({ msg: "leading" });
  await worker.waitForEntry({ msg: "succeeded", task: "beat.add" });
  expect(await worker.stop(signal)).toEqual(done);
  // No other has to wait for the end of its term.
  expect(await stage.redis.exists(`bullrush:beat:${stage.app.options.prefix}:${stage.app.options.name}:leader`)).toBe(0);
});

it.concurrent.each([
  [["--for", "1h"], "--for is for --dry-run"],
  [["--max-interval", "1ms"], "100 ms at least"],
])("%j is refused, with 2", async (args, reason) => {
  await using stage = openStage({});
  const beat = stage.beat({ args });
  expect(await beat.exit).toEqual(misused);
  expect(beat.errors).toEqual([expect.stringContaining(reason) as string]);
});

it.concurrent("ends with 1 when there is no broker", async () => {
  await using stage = openStage({});
  const beat = stage.beat({ broker: "redis://127.0.0.1:1" });
  expect(await beat.exit).toEqual({ code: 1, signal: null });
  expect(beat.errors.at(-1)).toContain("could not be used");
});

import { expect, it } from "vitest";
import { openProxy } from "../lib/proxy.js";
import { eventually } from "../lib/eventually.js";
import type { Program } from "../lib/program.js";
import { long } from "../lib/long.js";
import { redisUrl } from "../lib/redis-url.js";
import { duesOf, grid, openStage } from "./stage.js";

const schedule = "1s";
const entries = {
  all: { task: "beat.add", args: [1, 2], schedule, catchUp: "all" },
  latest: { task: "beat.add", args: [1, 2], schedule },
  skip: { task: "beat.add", args: [1, 2], schedule, catchUp: "skip" },
} as const;

/** Which of `beats` began to lead last. */
function leaderOf(beats: readonly Program[]): Program {
  const began = (beat: Program) => Math.max(0, ...beat.entries.filter(({ msg }) => msg === "leading").map(({ epoch }) => Number(epoch)));
  return beats.toSorted((one, other) => began(other) - began(one))[0]!;
}

const isLeading = (beat: Program) => beat.entries.findLast(({ msg }) => msg === "leading" || msg === "following")?.["msg"] === "leading";

it.concurrent("three beats, one killed and one stopped between due and sent, send no tick twice, and all that are to be caught up with", async () => {
  await using stage = openStage(entries);
  const proxies = await Promise.all([0, 1, 2].map(() => openProxy(redisUrl())));
  const beats = proxies.map(({ url }) => stage.beat({ broker: url }));
  await Promise.all(beats.map((beat) => beat.waitFor('"msg":"ready"')));
  const collect = async (ms: number) => {
    const end = Date.now() + ms;
    await eventually("time passes", async () => (await stage.taken()).length >= 0 && Date.now() > end, ms + 5000);
  };
  await eventually("there are ticks", async () => duesOf(await stage.taken(), "all").length >= 3);
  await collect(long ? 17_000 : 0);

  const first = leaderOf(beats);
  const killed = Date.now();
  await first.kill();
  const left = beats.filter((beat) => beat !== first);
  await eventually("another beat leads", () => left.some(isLeading));
  const takeover = Date.now() - killed;
  await collect(long ? 40_000 - takeover - 20_000 : 1500);

  const second = leaderOf(left);
  const hold = proxies[beats.indexOf(second)]!.hold("scheduledAt");
  await hold.held;
  second.signal("SIGSTOP");
  const [third] = left.filter((beat) => beat !== second) as [Program];
  await eventually("the third beat leads", () => isLeading(third));
  const before = duesOf(await stage.taken(), "all").length;
  hold.letGo();
  second.signal("SIGCONT");
  await eventually("the resumed beat follows", () => !isLeading(second));
  await eventually("there are more ticks", async () => duesOf(await stage.taken(), "all").length > before + 3);
  await collect(long ? 8000 : 0);
  for (const beat of [second, third]) expect(await beat.stop()).toEqual({ code: 0, signal: null });

  const ticks = await stage.taken();
  const all = duesOf(ticks, "all");
  expect(all).toEqual(grid(all, 1000));
  for (const entry of ["latest", "skip"]) {
    const dues = duesOf(ticks, entry);
    const expected = grid(dues, 1000);
    expect(new Set(dues).size).toBe(dues.length);
    expect(dues.filter((due) => !expected.includes(due))).toEqual([]);
    expect(dues.length).toBeLessThan(expected.length);
    const missed = [second, third].map((beat) => beat.entries.find(({ msg, entry: name }) => msg === "missed" && name === entry));
    expect(missed).toMatchObject([{ catchUp: entry }, { catchUp: entry }]);
  }
  console.log(`takeover ${takeover} ms after SIGKILL; ${ticks.length} ticks`);
  await Promise.all(proxies.map((proxy) => proxy.close()));
});

it.concurrent.each(["SIGTERM", "SIGHUP"] as const)("a beat that is told to stop by %s makes way", async (signal) => {
  await using stage = openStage({ often: { task: "beat.add", args: [1, 2], schedule: "200ms", catchUp: "all" } });
  const beats = [stage.beat(), stage.beat()];
  await Promise.all(beats.map((beat) => beat.waitFor('"msg":"ready"')));
  await eventually("one leads", () => beats.some(isLeading));
  await eventually("there are ticks", async () => (await stage.taken()).length > 3);
  const [leader, other] = beats.toSorted((one, two) => Number(isLeading(two)) - Number(isLeading(one))) as [Program, Program];
  leader.signal(signal);
  await other.waitForEntry({ msg: "leading" });
  expect(await leader.exit).toEqual({ code: 0, signal: null });
  expect(leader.entries.at(-1)).toMatchObject({ msg: "stopped" });
  const before = (await stage.taken()).length;
  await eventually("there are more ticks", async () => (await stage.taken()).length > before + 5);
  expect(await other.stop("SIGINT")).toEqual({ code: 0, signal: null });
  const dues = duesOf(await stage.taken(), "often");
  expect(dues).toEqual(grid(dues, 200));
});

it.concurrent.for(["all", "latest", "skip"] as const)(
  "without Redis for a while it goes on by itself, and catches up with: %s",
  async (catchUp, { expect }) => {
    await using stage = openStage({ often: { task: "beat.add", args: [1, 2], schedule: "500ms", catchUp } });
    await using proxy = await openProxy(redisUrl());
    const beat = stage.beat({ broker: proxy.url });
    await eventually("there are ticks", async () => (await stage.taken()).length > 2);
    proxy.refuse();
    proxy.reset();
    const until = Date.now() + (long ? 30_000 : 4000);
    await eventually("time passes", () => Date.now() > until);
    const before = (await stage.taken()).length;
    proxy.heal();
    await eventually("there are more ticks", async () => (await stage.taken()).length > before + 4);
    await beat.waitForEntry({ msg: "missed", catchUp });
    expect(await beat.stop()).toEqual({ code: 0, signal: null });
    const dues = duesOf(await stage.taken(), "often");
    const expected = grid(dues, 500);
    if (catchUp === "all") expect(dues).toEqual(expected);
    expect(new Set(dues).size).toBe(dues.length);
    expect(dues.filter((due) => !expected.includes(due))).toEqual([]);
  },
);

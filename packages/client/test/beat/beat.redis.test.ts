import type { NamedCall } from "@bullrush/broker";
import { describe, expect, onTestFinished, test } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { every, type App, type AppOptions, type BeatEntry, type RuntimeEntry } from "../../src/index.js";
import { deadUrl, failing, rejected, take, testApp } from "../support.js";

const entry = { task: "tasks.add", schedule: "20s", args: [1, 2] } as const;

/** Does the first steps of a beat that begins to lead. */
async function lead(app: App, entries: readonly NamedCall[] = app.options.beat) {
  const term = await app.engine.schedules.campaign();
  if (term === undefined) throw new Error("somebody else leads");
  onTestFinished(() => app.engine.schedules.resign(term).catch(() => undefined));
  expect(await app.engine.schedules.sync(term, entries)).toBe(true);
  return term;
}

/** Sends a tick of entry `name` at `due`, as a beat does. */
async function tick(app: App, name: string, due: number, next?: number) {
  const term = await lead(app);
  const [stored] = await app.engine.schedules.read([name]);
  if (stored === undefined) throw new Error(`no entry "${name}"`);
  const messages = app.tickOf({ ...stored, due, jitter: 0 });
  const ticks = [{ due, messages, skipIfUnfinished: false }];
  const advance = { name, version: stored.version, due: stored.due, ticks, ...(next !== undefined && { next }) };
  expect(await app.engine.schedules.advance(term, [advance])).toEqual([{ sent: 1, overlapped: 0, duplicates: 0 }]);
  return messages;
}

const withBeat = (beat: Record<string, BeatEntry>, options: AppOptions = {}) => testApp({ ...options, beat });

describe("list()", () => {
  test("before any beat: the entries of the options", async () => {
    const app = withBeat({ b: entry, a: { ...entry, schedule: () => undefined } });
    expect(await app.beat.list()).toEqual([
      expect.objectContaining({ name: "a", schedule: "a function", origin: "options", paused: false, count: 0 }),
      {
        ...{ name: "b", task: "tasks.add", schedule: "every 20s", origin: "options", paused: false, count: 0 },
        call: { task: "tasks.add", schedule: { type: "every", every: 20_000 }, args: [1, 2] },
      },
    ]);
  });

  test("entries set at run time: listed, each once", async () => {
    const app = withBeat({ b: entry });
    await app.beat.set("c", entry);
    await app.beat.set("a", { ...entry, schedule: every("1m") });
    await lead(app);
    const listed = await app.beat.list();
    expect(listed.map(({ name, origin, schedule }) => [name, origin, schedule])).toEqual([
      ["a", "runtime", "every 1m"],
      ["b", "options", "every 20s"],
      ["c", "runtime", "every 20s"],
    ]);
  });

  test("stored by a beat: the last tick and the next due time", async () => {
    const app = withBeat({ a: entry });
    const due = Date.now() - 10;
    const [sent] = await tick(app, "a", due, due + 20_000);
    const [listed] = await app.beat.list();
    expect(listed).toMatchObject({ count: 1, next: new Date(due + 20_000) });
    expect(listed?.last).toEqual({ due: new Date(due), sentAt: expect.any(Date), id: sent.message.id, queue: "default" });
    expect((await take(app)).message).toMatchObject({ id: sent.message.id, args: [1, 2] });
  });
});

describe("set()", () => {
  test("app that set it is closed: the entry stays", async () => {
    const app = testApp();
    await app.beat.set("a", { ...entry, catchUp: "skip", options: { expires: new Date("2030-01-01") } });
    await app.close();
    const other = testApp({ prefix: app.options.prefix });
    const call = { catchUp: "skip", options: { expires: "2030-01-01T00:00:00.000Z" } };
    expect(await other.beat.list()).toEqual([expect.objectContaining({ name: "a", call: expect.objectContaining(call) })]);
  });

  test("name of an entry of the options: wins over it, for the next leader too", async () => {
    const app = withBeat({ a: entry });
    await lead(app);
    await app.beat.set("a", { ...entry, schedule: "5s" });
    expect(await app.beat.list()).toEqual([expect.objectContaining({ schedule: "every 5s", origin: "runtime" })]);
  });

  test("a task: its arguments are typed and stored", async () => {
    const app = testApp();
    await app.beat.set("a", { task: app.task("double", (n: number) => 2 * n), args: [21], schedule: "1m" });
    expect(await app.beat.list()).toEqual([expect.objectContaining({ task: "double", call: expect.objectContaining({ args: [21] }) })]);
  });

  test.each<[what: string, name: string, given: object, code: string]>([
    ["a function, which no store can keep", "a", { schedule: () => undefined }, "INVALID_OPTION"],
    ["20 for 20 s", "a", { schedule: 20 }, "INVALID_OPTION"],
    ["no name", "", {}, "INVALID_OPTION"],
    ["what has no queue", "a", { options: { exchange: "nowhere" } }, "UNROUTABLE"],
    ["what is too large", "a", { args: ["x".repeat(2000)] }, "PAYLOAD_TOO_LARGE"],
    ["what is no JSON", "a", { args: [new Date()] }, "ENCODE_ERROR"],
  ])("%s: refused, and nothing is stored", async (_, name, given, code) => {
    const app = testApp({ maxPayload: 1000, queues: [{ name: "q", exchange: { name: "nowhere", type: "topic" }, routingKey: "k" }] });
    expect(await rejected(app.beat.set(name, { ...entry, ...given } as RuntimeEntry))).toEqual(failing(code));
    expect(await app.beat.list()).toEqual([]);
  });

  test("a function as the schedule: refused with where it may be", async () => {
    const error = await rejected(testApp().beat.set("a", { ...entry, schedule: (() => undefined) as never }));
    expect(String(error)).toContain('"schedule" of beat entry "a" is a function, which can only stand in the options of createApp()');
  });
});

describe("remove(), pause() and resume()", () => {
  test("return whether the entry exists", async () => {
    const app = testApp();
    await app.beat.set("a", entry);
    for (const [name, known] of [
      ["a", true],
      ["b", false],
    ] as const) {
      expect(await app.beat.pause(name)).toBe(known);
      expect(await app.beat.resume(name)).toBe(known);
      expect(await app.beat.remove(name)).toBe(known);
    }
    expect(await app.beat.list()).toEqual([]);
  });

  test("change the list", async () => {
    const app = testApp();
    await app.beat.set("a", entry);
    await app.beat.pause("a");
    expect(await app.beat.list()).toEqual([expect.objectContaining({ paused: true })]);
    await app.beat.resume("a");
    expect(await app.beat.list()).toEqual([expect.objectContaining({ paused: false })]);
  });

  test("invalid name: refused", async () => {
    const { beat } = testApp();
    for (const asked of [beat.remove(""), beat.pause(5 as never), beat.resume(""), beat.trigger("")]) {
      expect(await rejected(asked)).toEqual(failing("INVALID_OPTION"));
    }
  });
});

describe("trigger()", () => {
  test("stored entry: its call is made, and its schedule unchanged", async () => {
    const app = testApp();
    await app.beat.set("a", { ...entry, options: { queue: "q", headers: { tenant: 5 }, expires: "1h" } });
    await app.beat.pause("a");
    const before = Date.now();
    const re = await app.beat.trigger<number>("a");
    const taken = await take(app, "q");
    expect(taken.message).toMatchObject({ id: re.id, task: "tasks.add", args: [1, 2], replyTo: app.engine.results.replyChannel });
    expect(taken.message.headers).toEqual({ tenant: 5, beat: "a", scheduledAt: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(taken.message.expires).toBeGreaterThanOrEqual(before + 3_600_000);
    expect(await app.beat.list()).toEqual([expect.objectContaining({ paused: true, count: 0 })]);
    await taken.end({ type: "succeeded", result: "3" }, { result: 3 });
    expect(await re.get({ timeout: hangTimeout })).toBe(3);
  });

  test("entry of the options, stored or not: its call is made, with its task's options", async () => {
    const app = withBeat({ a: entry });
    app.task("tasks.add", { queue: "sums" }, (x: number, y: number) => x + y);
    const re = await app.beat.trigger("a");
    expect((await take(app, "sums")).message.id).toBe(re.id);
    await lead(app);
    expect((await app.beat.trigger("a")).id).not.toBe(re.id);
  });

  test("unknown name: rejects", async () => {
    expect(await rejected(testApp().beat.trigger("a"))).toEqual(failing("ENTRY_NOT_FOUND", { entry: "a" }));
  });
});

test("a broker that is away is reported, and the app still closes", async () => {
  const app = testApp({ broker: deadUrl });
  const all = [app.beat.list(), app.beat.set("a", entry), app.beat.remove("a"), app.beat.pause("a"), app.beat.trigger("a")];
  expect(await Promise.all(all.map(rejected))).toEqual(all.map(() => failing("BROKER_UNAVAILABLE")));
});

import { newId } from "@bullrush/broker";
import { createApp } from "@bullrush/client";
import { pino } from "pino";
import { expect, inject, it, onTestFinished, vi } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { redis } from "../../client/test/redis.js";
import { createBeat } from "../src/index.js";

function stage() {
  const prefix = newId();
  const app = createApp({ broker: inject("redisUrl"), prefix, beat: { honest: { task: "t", schedule: "200ms" } } });
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const beat = createBeat(app, { log, maxInterval: 100 });
  const ask = (...command: readonly string[]) => redis(inject("redisUrl"), ...command);
  onTestFinished(async () => {
    await beat.stop();
    await app.close();
    await ask("UNLINK", ...((await ask("KEYS", `*${prefix}*`)) as string[]), "none");
  });
  const keys = `bullrush:beat:${prefix}:app:`;

  /** Plants an entry as whoever may write there would. */
  async function plant(name: string, call: object, fields: Readonly<Record<string, string>> = {}): Promise<void> {
    const sound = { call: JSON.stringify(call), origin: "runtime", version: newId(), createdAt: String(Date.now()), count: "0" };
    await ask("HSET", `${keys}entry:${name}`, ...Object.entries({ ...sound, ...fields }).flat());
    await ask("ZADD", `${keys}due`, "0", name);
  }

  const countOf = async (name: string) => (await app.beat.list()).find((entry) => entry.name === name)?.count;
  return { app, beat, lines, plant, countOf, ask, keys };
}

const every = (length: unknown) => ({ task: "t", schedule: { type: "every", every: length } });

it.each<[string, object, Readonly<Record<string, string>>?]>([
  ["an interval below zero", every(-100)],
  ["an interval of half a millisecond", every(0.5)],
  ["an interval of nothing", every(0)],
  ["an interval that is a text", every("100")],
  ["all that it has missed with a short interval", { ...every(1e-9), catchUp: "all", startAt: 0 }],
  ["a crontab that is none", { task: "t", schedule: { type: "crontab", expression: "now and then" } }],
  ["a crontab drawn by lot", { task: "t", schedule: { type: "crontab", expression: "H H * * *" } }],
  ["a time zone that is none", { task: "t", schedule: { type: "crontab", expression: "* * * * *", timezone: "Mars/Olympus" } }],
  ["a schedule that is none", { task: "t", schedule: null }],
  ["a beginning that is no time", every(1000), { createdAt: "NaN" }],
  ["a last tick that is none", every(1000), { lastId: "x", lastQueue: "q", lastDue: "x", lastSentAt: "x" }],
])("entry with %s: holds up no others, is listed as spoilt, and lets beat stop", async (_, call, fields) => {
  const { app, beat, lines, plant, countOf } = stage();
  await plant("planted", call, fields);
  await beat.start();
  await vi.waitUntil(async () => ((await countOf("honest")) ?? 0) >= 3, { timeout: hangTimeout, interval: 50 });
  expect(await app.beat.list()).toEqual([
    expect.objectContaining({ name: "honest" }),
    expect.objectContaining({ name: "planted", spoilt: expect.any(String) as string, count: 0 }),
  ]);
  expect(lines).toContainEqual(expect.objectContaining({ msg: "the entry does not tick", entry: "planted" }));
  await beat.stop();
  await expect(app.beat.trigger("none")).rejects.toMatchObject({ code: "ENTRY_NOT_FOUND" });
});

it("hundreds of spoilt entries and keys of other types: hold up no other entry", async () => {
  const { beat, plant, countOf, ask, keys } = stage();
  for (let number = 0; number < 300; number++) await plant(`planted-${number}`, every(-1));
  for (let number = 0; number < 5; number++) {
    await ask("SET", `${keys}entry:other-${number}`, "x");
    await ask("ZADD", `${keys}due`, "0", `other-${number}`);
  }
  await beat.start();
  await vi.waitUntil(async () => ((await countOf("honest")) ?? 0) >= 3, { timeout: hangTimeout, interval: 50 });
});

import { chain, group, type App } from "@bullrush/client";
import { expect, inject, it } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { until } from "../../../integration/lib/until.js";
import { redis } from "../../client/test/redis.js";
import { scene, type Entry } from "./scene.js";

/** Ids in the lines that say `msg`. */
const idsOf = (entries: readonly Entry[], msg: string) => new Set(entries.filter((entry) => entry["msg"] === msg).map(({ id }) => id));

/** What JSON cannot carry, or would change, or is longer than results may be. */
const values: Readonly<Record<string, () => unknown>> = {
  date: () => new Date(0),
  map: () => new Map(),
  bigint: () => 1n,
  undefinedInside: () => [undefined],
  long: () => "x".repeat(1024 * 1024 + 1),
};

function declareGive(app: App): void {
  app.task("give", { ignoreResult: true }, (what: string) => values[what]?.());
}

it("succeeds with what cannot be sent when nobody reads it, and warns once of each task", async () => {
  const { app, entries, start } = scene();
  declareGive(app);
  app.task("giveToo", { ignoreResult: true }, (what: string) => values[what]?.());
  const producer = await start();
  const sent: { readonly id: string }[] = [];
  for (const what of Object.keys(values)) sent.push(await producer.sendTask("give", [what], { ignoreResult: true }));
  sent.push(await producer.sendTask("giveToo", ["date"], { ignoreResult: true }));
  sent.push(await producer.stub("give", { ignoreResult: true }).delay("map"));
  await until(() => expect(idsOf(entries, "succeeded")).toEqual(new Set(sent.map(({ id }) => id))));
  const warnings = entries.filter(({ level }) => Number(level) >= 40);
  expect(warnings).toHaveLength(2);
  expect(new Set(warnings.map(({ task }) => task))).toEqual(new Set(["give", "giveToo"]));
  for (const warning of warnings)
    expect(warning).toMatchObject({ level: 40, reason: expect.stringContaining("cannot be sent as JSON") as string });
});

it("does not look at what it returns but for its kind: nothing is encoded that nobody reads", async () => {
  const { app, entries, start } = scene();
  const read: string[] = [];
  const secretive: object = { toJSON: () => void read.push("encoded") };
  app.task("quiet", { ignoreResult: true }, () => secretive);
  const producer = await start();
  const { id } = await producer.sendTask("quiet", [], { ignoreResult: true });
  await until(() => expect(entries).toContainEqual(expect.objectContaining({ msg: "succeeded", id })));
  expect(read).toEqual([]);
});

it("fails with it when a result, a link or a step of a canvas wants the value", async () => {
  const { app, start } = scene();
  declareGive(app);
  app.task("take", (value: unknown) => value);
  const producer = await start();
  const [give, take] = [producer.stub("give"), producer.stub("take")];
  const encodeError = { cause: { code: "ENCODE_ERROR" } };
  await expect((await producer.sendTask("give", ["date"])).get({ timeout: hangTimeout })).rejects.toMatchObject(encodeError);
  const linked = await producer.sendTask("give", ["date"], { ignoreResult: true, link: take.s() });
  await until(async () => expect(await linked.status()).toBe("FAILURE"));
  const chained = await chain(give.s("date"), take.s()).delay();
  await expect(chained.get({ timeout: hangTimeout })).rejects.toMatchObject(encodeError);
  const grouped = await group(give.s("date"), give.s("map")).delay();
  await expect(grouped.get({ timeout: hangTimeout })).rejects.toMatchObject(encodeError);
});

it("keeps of a job of a plain BullMQ producer what JSON.stringify makes of its value, as BullMQ does", async () => {
  class Money {
    readonly amount = 3;
    readonly since = new Date(0);
  }
  const theirs: Readonly<Record<string, unknown>> = {
    instance: new Money(),
    map: new Map([[1, 2]]),
    hole: [undefined, NaN],
    function: () => 1,
    undefined: undefined,
    long: "x".repeat(1024 * 1024 + 1),
    cycle: Object.assign([] as unknown[], { 0: undefined }),
    bigint: 1n,
  };
  (theirs["cycle"] as unknown[])[0] = theirs["cycle"];
  const { app, entries, start, prefix } = scene();
  app.task("theirs", ({ what }: { what: string }) => theirs[what]);
  const ask = (...command: readonly string[]) => redis(inject("redisUrl"), ...command);
  for (const what of Object.keys(theirs)) {
    await ask("HSET", `${prefix}:default:${what}`, "name", "theirs", "data", JSON.stringify({ what }), "opts", "{}", "timestamp", "1");
    await ask("LPUSH", `${prefix}:default:wait`, what);
  }
  await start();
  const kept = async (what: string) => ask("HMGET", `${prefix}:default:${what}`, "returnvalue", "failedReason");
  await until(async () => expect(entries.filter(({ msg }) => msg === "succeeded" || msg === "failed")).toHaveLength(8));
  await until(async () => expect(await kept("bigint")).not.toEqual([null, null]));
  for (const what of ["instance", "map", "hole", "long"]) expect(await kept(what)).toEqual([JSON.stringify(theirs[what]), null]);
  for (const what of ["function", "undefined"]) expect(await kept(what)).toEqual(["null", null]);
  for (const what of ["cycle", "bigint"]) expect(await kept(what)).toEqual([null, expect.stringMatching(/circular|BigInt/) as unknown]);
  expect(idsOf(entries, "failed")).toEqual(new Set(["bigint", "cycle"]));
  expect(entries.filter(({ level }) => level === 40)).toEqual([]);
});

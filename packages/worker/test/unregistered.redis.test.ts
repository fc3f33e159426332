import { newId, type QueueCounts } from "@bullrush/broker";
import { chain, createApp, group, type App } from "@bullrush/client";
import { pino } from "pino";
import { expect, inject, it, onTestFinished } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { until } from "../../../integration/lib/until.js";
import { redis } from "../../client/test/redis.js";
import { createWorker, type WorkerOptions } from "../src/index.js";

type Entry = Readonly<Record<string, unknown>>;

/** Apps on one prefix, workers of them, and what these log. */
interface Scene {
  readonly prefix: string;
  readonly open: () => App;
  readonly start: (app: App, options?: WorkerOptions) => Promise<readonly Entry[]>;
}

function scene(): Scene {
  const prefix = newId();
  const open = () => {
    const app = createApp({ broker: inject("redisUrl"), prefix });
    onTestFinished(() => app.close());
    return app;
  };
  const start = async (app: App, options: WorkerOptions = {}) => {
    const entries: Entry[] = [];
    const log = pino({}, { write: (line: string) => void entries.push(JSON.parse(line) as Entry) });
    const worker = createWorker(app, { log, ...options });
    onTestFinished(async () => void (await worker.stop(AbortSignal.abort())));
    await worker.start();
    return entries;
  };
  return { prefix, open, start };
}

const ask = (...command: readonly string[]) => redis(inject("redisUrl"), ...command);

async function counts(app: App): Promise<QueueCounts | undefined> {
  return (await app.engine.queues.counts(["default"]))[0];
}

const putBack = (entries: readonly Entry[]) => entries.filter(({ msg }) => msg === "put back for workers that may know it");

/** Declares what the old release knows. */
function old(app: App): App {
  app.task("a", () => "old");
  return app;
}

/** Declares what the new release knows. */
function renewed(app: App, seen: unknown[] = []): App {
  old(app);
  app.task("b", function (value: unknown = "new") {
    seen.push(value);
    return [value, this.attempt];
  });
  return app;
}

it("runs new tasks while old workers take from the same queue: none fails, and none is an attempt or a crash", async () => {
  const { open, start } = scene();
  const producer = open();
  const entries = await start(old(open()));
  const sent = await Promise.all(Array.from({ length: 20 }, (_, number) => producer.sendTask("b", [number])));
  await until(async () => expect(await counts(producer)).toMatchObject({ delayed: 20, waiting: 0, active: 0 }));
  expect(await sent[0]?.status()).toBe("PENDING");
  await start(renewed(open()));
  expect(await Promise.all(sent.map((result) => result.get({ timeout: hangTimeout })))).toEqual(sent.map((_, number) => [number, 1]));
  expect(await (await producer.sendTask("a")).get({ timeout: hangTimeout })).toBe("old");
  expect(entries.filter(({ msg }) => msg === "not run")).toEqual([]);
  expect(putBack(entries)).toMatchObject([{ level: 40, task: "b", queue: "default", code: "TASK_NOT_REGISTERED", grace: 300_000 }]);
});

it("runs those that store no result, members of a canvas, and what a stub sends", async () => {
  const { open, start } = scene();
  const producer = open();
  const seen: unknown[] = [];
  const app = renewed(open(), seen);
  await start(old(open()));
  const b = producer.stub("b");
  await producer.sendTask("b", ["ignored"], { ignoreResult: true });
  const canvas = await chain(group(b.s("left"), b.s("right")), b.s()).delay();
  const stubbed = await b.delay("stubbed");
  await until(async () => expect(await counts(producer)).toMatchObject({ delayed: 4, waiting: 0, active: 0 }));
  await start(app);
  expect(await canvas.get({ timeout: hangTimeout })).toEqual([
    [
      ["left", 1],
      ["right", 1],
    ],
    1,
  ]);
  expect(await stubbed.get({ timeout: hangTimeout })).toEqual(["stubbed", 1]);
  await until(() => expect(seen).toContain("ignored"));
});

it.each([1, 3])("puts back a message of version %i as it is; what is no message fails at once", async (version) => {
  const { open, start, prefix } = scene();
  const producer = open();
  const other = await producer.sendTask("a", ["kept"]);
  const garbage = await producer.sendTask("a");
  const key = `${prefix}:default:${other.id}`;
  const data = String(await ask("HGET", key, "data"));
  const text = data.replace('"bullrush":2', `"bullrush":${version}`);
  await ask("HSET", key, "data", text);
  await ask("HSET", `${prefix}:default:${garbage.id}`, "data", data.replace('"bullrush":2', '"bullrush":"2"'));
  const entries = await start(old(open()));
  await expect(garbage.get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { code: "DECODE_ERROR" } });
  await until(async () => expect(await counts(producer)).toMatchObject({ delayed: 1, waiting: 0, active: 0 }));
  expect(putBack(entries)).toMatchObject([{ task: "a", code: "DECODE_ERROR" }]);
  expect(await ask("HGET", key, "data")).toBe(text);
  expect(await other.status()).toBe("PENDING");
  // As a worker of that version would read it.
  await ask("HSET", key, "data", data);
  expect(await other.get({ timeout: hangTimeout })).toBe("old");
});

it("fails what nobody knows when the grace is over, and keeps it; at once without grace", async () => {
  const { open, start, prefix } = scene();
  const producer = open();
  const entries = await start(old(open()), { unregisteredGrace: "1500ms" });
  const sent = Date.now();
  const result = await producer.sendTask("b");
  await expect(result.get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { code: "TASK_NOT_REGISTERED" } });
  expect(Date.now() - sent).toBeGreaterThanOrEqual(1500);
  await until(async () => expect(await ask("ZCARD", `bullrush:queue:${prefix}:default:dead-letters`)).toBe(1));
  expect(await ask("HGET", `${prefix}:default:${result.id}`, "unknownSince")).toBeNull();
  expect(putBack(entries)).toHaveLength(1);
  const without = scene();
  await without.start(old(without.open()), { unregisteredGrace: 0 });
  await expect((await without.open().sendTask("b")).get({ timeout: hangTimeout })).rejects.toMatchObject({
    cause: { code: "TASK_NOT_REGISTERED" },
  });
});

it("revokes it while it waits, and when it expires", async () => {
  const { open, start } = scene();
  const producer = open();
  const entries = await start(old(open()));
  const [revoked, expiring] = await Promise.all([producer.sendTask("b"), producer.sendTask("b", [], { expires: "1500ms" })]);
  await until(async () => expect(await counts(producer)).toMatchObject({ delayed: 2 }));
  expect(await revoked.revoke({ reason: "not wanted" })).toBe(true);
  await expect(expiring.get({ timeout: hangTimeout })).rejects.toMatchObject({ code: "TASK_REVOKED", details: { reason: "expired" } });
  expect(await revoked.status()).toBe("REVOKED");
  await until(async () => expect(await counts(producer)).toMatchObject({ delayed: 0, waiting: 0, active: 0 }));
  expect(entries.filter(({ msg }) => msg === "revoked")).toMatchObject([{ reason: expect.anything() as unknown }, {}]);
});

it("begins the grace anew when a worker has known it in between", async () => {
  const { open, start, prefix } = scene();
  const producer = open();
  await start(old(open()));
  const result = await producer.sendTask("b");
  const key = `${prefix}:default:${result.id}`;
  await until(async () => expect(await ask("HGET", key, "unknownSince")).not.toBeNull());
  const app = old(open());
  app.task("b", function () {
    return this.retry({ countdown: "1h" });
  });
  await start(app);
  await until(async () => expect(await result.status()).toBe("RETRY"));
  await until(async () => expect(await ask("HMGET", key, "unknownSince", "startedDeliveries")).toEqual([null, " "]));
});

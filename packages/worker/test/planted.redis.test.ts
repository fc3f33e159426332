import { callId, encodeMessage, newId, redisEngine, replacementId, type Message } from "@bullrush/broker";
import { chain, createApp } from "@bullrush/client";
import { pino } from "pino";
import { describe, expect, inject, it, onTestFinished, vi } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { redis } from "../../client/test/redis.js";
import { createWorker, type WorkerOptions } from "../src/index.js";

/** An app with a worker on its queue `open`, into which others may write too; nobody takes from `closed`. */
function stage(options: WorkerOptions = {}) {
  const app = createApp({ broker: inject("redisUrl"), prefix: newId() });
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const worker = createWorker(app, { log, queues: ["open"], ...options });
  const engine = redisEngine({ broker: inject("redisUrl"), prefix: app.options.prefix });
  onTestFinished(async () => {
    await worker.stop(AbortSignal.abort());
    await app.close();
    await engine.close();
  });
  const ran: unknown[] = [];
  const note = app.task("note", { queue: "open" }, (value: unknown) => {
    ran.push(value);
    return value;
  });
  const closed = app.task("closed", { queue: "closed" }, (value: unknown) => value);
  const plant = async (message: Message, queue = "open") => expect(await engine.queues.publish([{ queue, message }])).toEqual([undefined]);
  const ask = (...command: readonly string[]) => redis(inject("redisUrl"), ...command);
  return { app, worker, lines, ran, note, closed, plant, ask };
}

function messageOf(fields: Partial<Message> = {}): Message {
  const id = newId();
  return { id, task: "note", args: ["planted"], headers: {}, priority: 0, retries: 0, rootId: id, ...fields };
}

describe("what a message says of flows is what the flow says:", () => {
  it("a message that stands for the task of another queue gives it no result", async () => {
    const { worker, plant, closed, note, ran, app, lines } = stage();
    const victim = await closed.delay("mine");
    await plant(messageOf({ replaces: [{ id: victim.id, task: "closed" }] }));
    await worker.start();
    expect(await (await note.delay("honest")).get({ timeout: hangTimeout })).toBe("honest");
    await vi.waitUntil(() => lines.some(({ msg, code }) => msg === "not run" && code === "DECODE_ERROR"), hangTimeout);
    expect(await app.asyncResult(victim.id).status()).toBe("PENDING");
    expect(ran).toEqual(["honest"]);
  });

  it.each(["the number of a call", "the id and the number of a call, in another queue", "a flow that is not there, and then one that is"])(
    "a message with %s hands on no value",
    async (what) => {
      const { worker, plant, closed, note, app, ask } = stage();
      const re = await chain(closed.s("first"), note.s()).delay();
      const [flow = ""] = ((await ask("ZRANGE", `bullrush:flows:${app.options.prefix}`, "0", "-1")) as string[]).filter(
        (id) => id === re.id,
      );
      const place = { flow: flow || re.id, call: 0, next: [["step", 1]] as const };
      const own = { flow: newId(), call: 0, next: [] };
      if (what === "the number of a call") await plant(messageOf({ positions: [place] }));
      else if (what.startsWith("the id")) await plant(messageOf({ id: callId(re.id, 0), positions: [place], task: "closed" }));
      else await plant(messageOf({ positions: [own, place], replaces: [{ id: re.id, task: "note" }] }));
      await worker.start();
      expect(await (await note.delay("honest")).get({ timeout: hangTimeout })).toBe("honest");
      await vi.waitUntil(async () => ((await ask("LLEN", `${app.options.prefix}:open:active`)) as number) === 0, hangTimeout);
      expect(await ask("HGET", `bullrush:flow:${app.options.prefix}:${re.id}`, "remaining")).toBe("2");
    },
  );

  it("a message of a flow that begins while it runs hands on no value", async () => {
    const { app, worker, plant, closed, note, ran, ask } = stage();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let isHeld = false;
    app.task("held", { queue: "open" }, async () => {
      isHeld = true;
      await held;
      return "planted";
    });
    const other = app.task("other", { queue: "open" }, function (): unknown {
      return this.replace(chain(closed.s("first"), note.s()));
    });
    // Whoever knows the id of a task knows that of the flow in its place.
    const taskId = newId();
    const flow = replacementId(taskId);
    for (const id of [newId(), callId(flow, 0)])
      await plant(messageOf({ id, task: "held", positions: [{ flow, call: 0, next: [["step", 1]] }] }));
    await worker.start();
    await vi.waitUntil(() => isHeld, hangTimeout);
    await other.applyAsync([], { taskId });
    const key = `bullrush:flow:${app.options.prefix}:${flow}`;
    await vi.waitUntil(async () => (await ask("HGET", key, "remaining")) === "2", hangTimeout);
    release();
    await vi.waitUntil(async () => ((await ask("LLEN", `${app.options.prefix}:open:active`)) as number) === 0, hangTimeout);
    expect(await (await note.delay("honest")).get({ timeout: hangTimeout })).toBe("honest");
    expect([ran, await ask("HGET", key, "remaining")]).toEqual([["honest"], "2"]);
  });

  it("honest steps run, retried, replaced and taken again", async () => {
    const { app, worker, note } = stage();
    const again = app.task("again", { queue: "open", maxRetries: 1 }, function (value: string) {
      if (this.attempt === 1) return this.retry({ countdown: 0 });
      return `${value} again`;
    });
    const other = app.task("other", { queue: "open" }, function (value: string): string {
      return this.replace(chain(again.s(value), again.s()));
    });
    const re = await chain(other.s("a"), again.s(), note.s()).delay();
    await worker.start();
    expect(await re.get({ timeout: hangTimeout })).toBe("a again again again");
    expect(await re.parent?.parent?.get()).toBe("a again again");
  });
});

it("a reply goes to whoever waits for results, and to no other channel", async () => {
  const { app, worker, note, ask, lines } = stage();
  const message = messageOf();
  const text = encodeMessage(message).replace(/\}$/, `,"replyTo":"bullrush:control:${app.options.prefix}"}`);
  const key = `${app.options.prefix}:open:`;
  await ask("HSET", key + message.id, "name", "note", "data", text, "opts", "{}", "timestamp", "1", "delay", "0", "priority", "0");
  await ask("LPUSH", `${key}wait`, message.id);
  await worker.start();
  expect(await (await note.delay("honest")).get({ timeout: hangTimeout })).toBe("honest");
  expect(lines).toContainEqual(expect.objectContaining({ msg: "not run", code: "DECODE_ERROR", id: message.id }));
});

it.each([
  '{"state":"REVOKED","delivery":9,"reason":{"toString":1}}',
  '{"state":"REVOKED","delivery":9,"reason":null}',
  '{"state":"FAILURE","delivery":9,"failure":{"name":{},"message":1}}',
  '{"state":"SUCCESS","delivery":9,"task":{"toString":1},"children":5}',
  '{"state":"SUCCESS","delivery":1',
])("a spoilt record under a resent id settles as one that cannot be read, and holds up no others: %s", async (record) => {
  const { app, worker, note, plant, ask, ran } = stage();
  const message = messageOf({ resent: true });
  await ask("SET", `bullrush:result:${message.id}`, record, "PX", "60000");
  await plant(message);
  await worker.start();
  for (const value of [1, 2, 3]) expect(await (await note.delay(value)).get({ timeout: hangTimeout })).toBe(value);
  if (record.endsWith("}")) {
    expect(ran).toEqual([1, 2, 3]);
    await expect(app.asyncResult(message.id).get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { code: "DECODE_ERROR" } });
  }
  await vi.waitUntil(async () => ((await ask("LLEN", `${app.options.prefix}:open:active`)) as number) === 0, hangTimeout);
  expect(await worker.stop(AbortSignal.timeout(20_000))).toBe(0);
});

it("a claim of a delivery that never was holds up no others", async () => {
  const { worker, note, plant, ask, ran } = stage({ concurrency: 1 });
  const message = messageOf({ resent: true });
  await ask("SET", `bullrush:result:${message.id}`, '{"state":"STARTED","delivery":1000000}', "PX", "60000");
  await plant(message);
  const sent = await Promise.all(Array.from({ length: 100 }, (_, n) => note.delay(n)));
  await worker.start();
  expect(await Promise.all(sent.map((result) => result.get({ timeout: hangTimeout })))).toEqual(sent.map((_, n) => n));
  expect(ran).toHaveLength(100);
});

it("a flow whose keys hold something else holds up no others, and it is said that its step was not settled", async () => {
  const { app, worker, note, ask, lines } = stage();
  const re = await chain(note.s("first"), note.s()).delay();
  await ask("RPUSH", `bullrush:flow:${app.options.prefix}:${re.id}:done`, "x");
  await worker.start();
  for (const value of [1, 2, 3]) expect(await (await note.delay(value)).get({ timeout: hangTimeout })).toBe(value);
  await vi.waitUntil(() => lines.some(({ msg }) => msg === "a settlement was refused"), hangTimeout);
});

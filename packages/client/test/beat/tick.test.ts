import { describe, expect, test } from "vitest";
import type { AppOptions, BeatEntry } from "../../src/index.js";
import { compileEntry } from "../../src/beat/entry.js";
import { createApp } from "../../src/index.js";
import { failing, thrownBy } from "../support.js";

const least = { task: "tasks.add", schedule: "20s", args: [1, 2] } as const;
const due = Date.UTC(2026, 10, 21, 12);

/** An entry as it comes back from the store, at `due`. */
function dueEntry(given: Partial<BeatEntry> = {}, { version = "v1", jitter = 0, at = due } = {}) {
  const { name, call } = compileEntry("nightly", { ...least, ...given } as BeatEntry, "UTC");
  return { name, version, due: at, jitter, call: JSON.parse(JSON.stringify(call)) as typeof call };
}

const tickOf = (given: Partial<BeatEntry>, options: AppOptions = {}) => createApp(options).tickOf(dueEntry(given));

describe("message of a tick", () => {
  test("its call's, without a reply channel", () => {
    const [{ queue, message, text }, ...copies] = tickOf({});
    expect(queue).toBe("default");
    expect(message).toEqual({
      ...{ id: message.id, rootId: message.id, task: "tasks.add", args: [1, 2], priority: 0, retries: 0 },
      headers: { beat: "nightly", scheduledAt: "2026-11-21T12:00:00.000Z" },
    });
    expect(JSON.parse(text ?? "")).toMatchObject({ args: [1, 2], headers: message.headers });
    expect(copies).toEqual([]);
  });

  test("id: follows from entry, version and time alone", () => {
    const app = createApp();
    const id = (entry: Parameters<typeof app.tickOf>[0]) => app.tickOf(entry)[0].message.id;
    expect(id(dueEntry())).toBe(id(dueEntry({}, { jitter: 5 })));
    const others = [dueEntry({}, { version: "v2" }), dueEntry({}, { at: due + 1 }), { ...dueEntry(), name: "other" }];
    expect(new Set([dueEntry(), ...others].map(id)).size).toBe(4);
    expect(id(dueEntry())).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-/);
  });

  test("options: the call's, then the task's", () => {
    const app = createApp();
    app.task("tasks.add", { queue: "sums", priority: 5, expires: "1m", timeLimit: "30s" }, (x: number, y: number) => x + y);
    expect(app.tickOf(dueEntry())[0]).toMatchObject({ queue: "sums", message: { priority: 5, expires: due + 60_000, timeLimit: 30_000 } });
    const given = { priority: 2, expires: "5s", headers: { a: 1, beat: "x" }, maxRetries: Infinity, ignoreResult: true } as const;
    const [{ message }] = app.tickOf(dueEntry({ options: given }));
    expect(message).toMatchObject({ priority: 2, expires: due + 5000, maxRetries: null, ignoreResult: true });
    expect(message.headers).toEqual({ a: 1, beat: "nightly", scheduledAt: "2026-11-21T12:00:00.000Z" });
  });

  test("expires: a time, or a duration from when it was due, jitter included", () => {
    const at = new Date(due + 500);
    expect(tickOf({ options: { expires: at } })[0].message.expires).toBe(due + 500);
    const [{ message }] = createApp().tickOf(dueEntry({ options: { expires: "5s" } }, { jitter: 700 }));
    expect(message).toMatchObject({ eta: due + 700, expires: due + 5700, headers: { scheduledAt: "2026-11-21T12:00:00.000Z" } });
  });

  test("queues: those of the routes, with copies", () => {
    const queues = ["a", "b"].map((name) => ({ name, exchange: { name: "all", type: "fanout" } as const }));
    const sent = tickOf({}, { queues, routes: { "tasks.*": { exchange: "all" } } });
    expect(sent.map(({ queue }) => queue)).toEqual(["a", "b"]);
    expect(sent[1]?.message.headers).toMatchObject({ fanoutOf: sent[0].message.id, beat: "nightly" });
  });
});

describe("tick that cannot be sent: a coded error", () => {
  test.each<[what: string, given: Partial<BeatEntry>, options: AppOptions, code: string]>([
    ["no queue is bound", { options: { exchange: "x" } }, {}, "UNROUTABLE"],
    ["its queue is not declared", { options: { queue: "x" } }, { createMissingQueues: false }, "QUEUE_NOT_DECLARED"],
    ["it is too large", { args: ["x".repeat(500)] }, { maxPayload: 400 }, "PAYLOAD_TOO_LARGE"],
  ])("%s", (_, given, options, code) => {
    expect(thrownBy(() => tickOf(given, options))).toEqual(failing(code));
  });

  test.each<[what: string, call: object]>([
    ["an option that no call has", { options: { prioritty: 1 } }],
    ["an option that is none", { options: { expires: "soon" } }],
    ["arguments that are no list", { args: {} }],
  ])("spoilt entry: %s", (_, spoilt) => {
    const { call, ...entry } = dueEntry();
    expect(thrownBy(() => createApp().tickOf({ ...entry, call: { ...call, ...spoilt } }))).toEqual(failing("INVALID_OPTION"));
  });
});

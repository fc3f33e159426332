import { copyId, Router, Topology, type Clock } from "@bullrush/broker";
import { describe, expect, test } from "vitest";
import { sendingOf } from "../../src/publishing/build-message.js";
import { runInTask, type CallOptions, type TaskContext, type TaskOptions } from "../../src/index.js";
import type { Call } from "../../src/publishing/call.js";
import { localContext } from "../../src/task/local-context.js";
import { failing, thrownBy } from "../support.js";

const now = 1_700_000_000_000;
const clock: Clock = { now: () => now };
const replyTo = "bullrush:reply:here";
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const id = "0b5a7a10-1111-4222-8333-abcdefabcdef";

const topology = new Topology([
  "default",
  { name: "left", exchange: { name: "everywhere", type: "fanout" } },
  { name: "middle", exchange: "everywhere" },
  { name: "right", exchange: "everywhere" },
  { name: "rss", exchange: { name: "feeds", type: "topic" }, routingKey: "feeds.rss.#" },
  { name: "all-feeds", exchange: "feeds", routingKey: "feeds.#" },
]);
const router = new Router({
  topology,
  routes: { "routed.low": { queue: "slow", priority: 7 }, "routed.*": "routed", "feeds.*": { exchange: "feeds" } },
  defaultQueue: "default",
});

function sent(options: CallOptions = {}, declared: TaskOptions = {}, call: Partial<Call> = {}) {
  return sendingOf({ task: "tasks.a", args: [1, "b"], declared, options, ...call }, { router, maxPayload: 1000 }, { replyTo, clock });
}

/** The message of a call that goes to one queue. */
function only(options: CallOptions = {}, declared: TaskOptions = {}, call: Partial<Call> = {}) {
  const [first, ...rest] = sent(options, declared, call);
  if (rest.length > 0) throw new Error(`${rest.length + 1} messages`);
  return first.message;
}

describe("plain call", () => {
  test("without options: one message without optional fields", () => {
    const [{ queue, message }] = sent();
    expect(queue).toBe("default");
    expect(message).toEqual({
      id: expect.stringMatching(uuid),
      task: "tasks.a",
      args: [1, "b"],
      headers: {},
      priority: 0,
      retries: 0,
      rootId: message.id,
      replyTo,
    });
  });

  test("two calls: a fresh id each", () => {
    expect(new Set(Array.from({ length: 100 }, () => only().id)).size).toBe(100);
  });
});

describe("call within a task", () => {
  const running: TaskContext = { ...localContext("tasks.outer", []), rootId: copyId(id, "root"), queue: "q", worker: "w1" };

  test("its parent is the task, and its root the task's root", () => {
    const message = runInTask(running, () => only());
    expect(message).toMatchObject({ parentId: running.id, rootId: running.rootId });
    expect(message.id).not.toBe(running.id);
  });

  test("after an await: the same", async () => {
    const message = await runInTask(running, async () => {
      await Promise.resolve();
      return only();
    });
    expect(message).toMatchObject({ parentId: running.id, rootId: running.rootId });
  });

  test("within a direct call: no parent, because nobody knows that run's id", () => {
    const message = runInTask(localContext("tasks.outer", []), () => only());
    expect(message).not.toHaveProperty("parentId");
    expect(message.rootId).toBe(message.id);
  });

  test("within a job of a plain BullMQ producer: no parent, because its id is no task's", () => {
    const message = runInTask({ ...running, id: "42", rootId: "42" }, () => only());
    expect(message).not.toHaveProperty("parentId");
    expect(message.rootId).toBe(message.id);
  });

  test("after the task has ended: no parent", () => {
    runInTask(running, () => only());
    expect(only()).not.toHaveProperty("parentId");
  });
});

describe("times", () => {
  test.each<[what: string, options: CallOptions, declared: TaskOptions, times: object]>([
    ["a countdown", { countdown: "10s" }, {}, { eta: now + 10_000 }],
    ["a countdown in milliseconds", { countdown: 250 }, {}, { eta: now + 250 }],
    ["no countdown", { countdown: 0 }, {}, { eta: now }],
    ["an eta", { eta: new Date(now + 5) }, {}, { eta: now + 5 }],
    ["an eta in the past", { eta: new Date(now - 5) }, {}, { eta: now - 5 }],
    ["an eta before the epoch", { eta: new Date(-5) }, {}, { eta: 0 }],
    ["an expiry after a while", { expires: "1m" }, {}, { expires: now + 60_000 }],
    ["an expiry at a time", { expires: new Date(now + 7) }, {}, { expires: now + 7 }],
    ["an expiry before the epoch", { expires: new Date(-7) }, {}, { expires: 0 }],
    ["an expiry of the declaration", {}, { expires: 3000 }, { expires: now + 3000 }],
    ["an expiry of the call over that of the declaration", { expires: "1s" }, { expires: "1h" }, { expires: now + 1000 }],
    [
      "an expiry counted from the call, not from the eta",
      { countdown: "1h", expires: "2h" },
      {},
      { eta: now + 3_600_000, expires: now + 7_200_000 },
    ],
  ])("%s", (_, options, declared, times) => {
    const { eta, expires } = only(options, declared);
    expect({ eta, expires }).toEqual({ eta: undefined, expires: undefined, ...times });
  });
});

describe("time limits", () => {
  const declared: TaskOptions = { timeLimit: "30s", softTimeLimit: "20s" };

  test.each<[what: string, options: CallOptions, declared: TaskOptions, limits: object]>([
    ["none by default", {}, {}, {}],
    ["those of the declaration", {}, declared, { timeLimit: 30_000, softTimeLimit: 20_000 }],
    ["one of the call, the other of the declaration", { softTimeLimit: "5s" }, declared, { timeLimit: 30_000, softTimeLimit: 5000 }],
    ["those of the declaration again", {}, declared, { timeLimit: 30_000, softTimeLimit: 20_000 }],
    ["one of the call alone", { timeLimit: 500 }, {}, { timeLimit: 500 }],
  ])("%s", (_, options, given, limits) => {
    const { timeLimit, softTimeLimit } = only(options, given);
    expect({ timeLimit, softTimeLimit }).toEqual({ timeLimit: undefined, softTimeLimit: undefined, ...limits });
  });

  test("limit of the call: has to fit the limits of the declaration", () => {
    const refused = failing("INVALID_OPTION", { option: '"softTimeLimit" of tasks.a', got: "20000 ms" });
    expect(thrownBy(() => sent({ timeLimit: "10s" }, declared))).toEqual(refused);
  });
});

describe("priority", () => {
  test.each<[what: string, priority: number, task: string, options: CallOptions, declared: TaskOptions]>([
    ["0 by default", 0, "tasks.a", {}, {}],
    ["of the route", 7, "routed.low", {}, {}],
    ["of the declaration over that of the route", 5, "routed.low", {}, { priority: 5 }],
    ["of the call over both", 0, "routed.low", { priority: 0 }, { priority: 5 }],
  ])("%s", (_, priority, task, options, declared) => {
    expect(only(options, declared, { task }).priority).toBe(priority);
  });
});

describe("call that cannot be encoded", () => {
  test.each<[code: string, args: readonly unknown[], options: CallOptions]>([
    ["ENCODE_ERROR", [1n], {}],
    ["ENCODE_ERROR", [], { headers: { at: new Date(0) as never } }],
    ["PAYLOAD_TOO_LARGE", ["x".repeat(1000)], {}],
  ])("refused: %s", (code, args, options) => {
    expect(thrownBy(() => sent(options, {}, { args }))).toEqual(failing(code));
  });

  test("copies too large, several queues: none gets a message", () => {
    const options = { exchange: "everywhere" };
    const spare = 1000 - Buffer.byteLength(sent(options)[0].text ?? "");
    expect(sent({ exchange: "feeds", routingKey: "feeds.atom" }, {}, { args: ["x".repeat(spare)] })).toHaveLength(1);
    expect(thrownBy(() => sent(options, {}, { args: ["x".repeat(spare)] }))).toEqual(failing("PAYLOAD_TOO_LARGE"));
  });
});

describe("maxRetries", () => {
  test.each<[options: CallOptions, declared: TaskOptions, expected: object]>([
    [{}, { maxRetries: 5 }, {}],
    [{ maxRetries: 0 }, { maxRetries: 5 }, { maxRetries: 0 }],
    [{ maxRetries: null }, {}, { maxRetries: null }],
    [{ maxRetries: Infinity }, {}, { maxRetries: null }],
  ])("only the call's is in the message: %o, %o", (options, declared, expected) => {
    const message = only(options, declared);
    expect("maxRetries" in message ? { maxRetries: message.maxRetries } : {}).toEqual(expected);
  });
});

describe("headers", () => {
  test("sent with the message", () => {
    expect(only({ headers: { tenant: "a", list: [1, null] } }).headers).toEqual({ tenant: "a", list: [1, null] });
  });
});

describe("ignoreResult", () => {
  test.each<[what: string, options: CallOptions, declared: TaskOptions, expected: object]>([
    ["nobody says so", {}, {}, { replyTo }],
    ["the call says no", { ignoreResult: true }, {}, { ignoreResult: true }],
    ["the declaration says no", {}, { ignoreResult: true }, { ignoreResult: true }],
    ["the call says yes and the declaration no", { ignoreResult: false }, { ignoreResult: true }, { ignoreResult: false, replyTo }],
    ["the call says no and the declaration yes", { ignoreResult: true }, { ignoreResult: false }, { ignoreResult: true }],
  ])("%s", (_, options, declared, expected) => {
    const message = only(options, declared);
    expect({
      ...("ignoreResult" in message && { ignoreResult: message.ignoreResult }),
      ...("replyTo" in message && { replyTo: message.replyTo }),
    }).toEqual(expected);
  });
});

describe("taskId", () => {
  test("UUID: used in lower case, and marked as possibly sent before", () => {
    expect(only({ taskId: id.toUpperCase() })).toMatchObject({ id, rootId: id, resent: true });
    expect(only()).not.toHaveProperty("resent");
  });

  test.each(["wait", "events", "meta", "a:b:c", "42", "", "x".repeat(10_240), `${id}:lock`, ` ${id}`, `${id}\n`, id.replaceAll("-", "")])(
    "no UUID (%.40j): refused",
    (taskId) => {
      const error = thrownBy(() => only({ taskId }));
      expect(error).toEqual(failing("INVALID_TASK_ID", { id: taskId.slice(0, 80) }));
      expect(String(error).length).toBeLessThan(200);
    },
  );
});

describe("routes", () => {
  test.each<[what: string, queues: readonly string[], task: string, options: CallOptions, declared: TaskOptions]>([
    ["by name", ["routed"], "routed.a", {}, {}],
    ["the declaration's queue over the route's", ["d"], "routed.a", {}, { queue: "d" }],
    ["the call's queue over both", ["c"], "routed.a", { queue: "c" }, { queue: "d" }],
    ["by an exchange and the task's name as the key", ["all-feeds"], "feeds.atom", {}, {}],
    ["by an exchange and a key", ["rss", "all-feeds"], "feeds.any", { routingKey: "feeds.rss.news" }, {}],
  ])("%s", (_, queues, task, options, declared) => {
    expect(sent(options, declared, { task }).map(({ queue }) => queue)).toEqual(queues);
  });

  test("no queue: refused", () => {
    const options = { exchange: "feeds", routingKey: "other" };
    expect(thrownBy(() => sent(options))).toEqual(failing("UNROUTABLE", { task: "tasks.a", ...options }));
  });
});

describe("call that goes to several queues", () => {
  const options: CallOptions = { exchange: "everywhere", headers: { tenant: "a" }, taskId: id, expires: 5000 };

  test("one message each: the first has the call's id, the copies have ids that derive from it", () => {
    const messages = sent(options);
    expect(messages.map(({ queue, message }) => [queue, message.id])).toEqual([
      ["left", id],
      ["middle", copyId(id, "middle")],
      ["right", copyId(id, "right")],
    ]);
    expect(copyId(id, "middle")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
    expect(sent(options)).toEqual(messages);
  });

  test("copies: name the call, and no client waits for them", () => {
    const [first, ...copies] = sent(options).map(({ message }) => message);
    expect(first).toMatchObject({ replyTo, headers: { tenant: "a" } });
    expect(first?.headers).not.toHaveProperty("fanoutOf");
    for (const copy of copies) {
      expect(copy).toMatchObject({ task: "tasks.a", args: [1, "b"], rootId: id, expires: now + 5000, resent: true });
      expect(copy.headers).toEqual({ tenant: "a", fanoutOf: id });
      expect(copy).not.toHaveProperty("replyTo");
    }
  });
});

import { callId, replacementId, type Flow, type Message } from "@bullrush/broker";
import { expect, test } from "vitest";
import { chain, group, type AnyCanvas, type Canvas } from "../../src/index.js";
import { failing, testApp, thrownBy } from "../support.js";

const id = "0b5a7a10-1111-4222-8333-abcdefabcdef";
const flow = replacementId(id);
const outer = { flow: callId(id, 1), call: 3, next: [["step", 2] as const] };

const replaced: Message = {
  id,
  task: "outer",
  args: [],
  headers: { tenant: "a", trace: 1, fanoutOf: callId(id, 9) },
  priority: 0,
  retries: 0,
  rootId: callId(id, 2),
  groupId: callId(id, 5),
  replyTo: "bullrush:reply:there",
  positions: [outer],
  replaces: [{ id: callId(id, 4), task: "before" }],
};

function prepare(options = {}) {
  const app = testApp(options);
  const add = app.task("add", (x: number, y: number) => x + y);
  const show = app.task("show", (x: number) => String(x));
  const replacement = (canvas: AnyCanvas, message: Message = replaced): Flow => app.replacementOf(canvas as Canvas, message, "theirs");
  return { add, show, replacement };
}

test("canvas that replaces a task: takes over its position and its waiting callers", () => {
  const { add, show, replacement } = prepare();
  const { calls, ...whole } = replacement(chain(add.s(1, 2), show.s().set({ headers: { trace: 2 } })));
  expect(whole).toMatchObject({ id: flow, entries: [["step", 1]], replyTo: replaced.replyTo });
  const [last, first] = calls.map(({ message }) => message);
  expect(last).toMatchObject({
    id: flow,
    positions: [{ flow, call: 0, next: [] }, outer],
    replaces: [
      { id: callId(id, 4), task: "before" },
      { id, task: "outer" },
    ],
    headers: { tenant: "a", trace: 2 },
    replyTo: replaced.replyTo,
    parentId: first?.id,
  });
  expect(first).toMatchObject({ id: callId(flow, 1), positions: [{ flow, call: 1 }], headers: { tenant: "a", trace: 1 }, parentId: id });
  expect(first).not.toHaveProperty("replyTo");
  expect(first).not.toHaveProperty("replaces");
  for (const message of [last, first]) {
    expect(message).toMatchObject({ rootId: replaced.rootId, groupId: replaced.groupId, resent: true });
    expect(message?.headers).not.toHaveProperty("fanoutOf");
  }
});

test("replaced twice: the same flow each time", () => {
  const { add, show, replacement } = prepare();
  const canvas = chain(add.s(1, 2), group(show.s(), show.s()));
  expect(replacement(canvas)).toEqual(replacement(canvas));
});

test("single call: a flow too", () => {
  const { add, replacement } = prepare();
  const { positions: _, replaces: __, ...alone } = replaced;
  const { calls, entries } = replacement(add.s(1, 2), alone);
  expect(entries).toEqual([["step", 0]]);
  expect(calls).toMatchObject([
    { queue: "default", message: { id: flow, args: [1, 2], positions: [{ flow, call: 0, next: [] }], replaces: [{ id, task: "outer" }] } },
  ]);
  expect(calls[0]?.message.positions).toHaveLength(1);
});

test("group: collected in the task's queue", () => {
  const { add, show, replacement } = prepare();
  for (const [canvas, size] of [
    [group(add.s(1, 2), show.s(3)), 2],
    [group(), 0],
  ] as const) {
    const { calls, joins } = replacement(canvas);
    expect(joins).toMatchObject([{ size, next: [["step", 0]] }]);
    expect(calls[0]).toMatchObject({ queue: "theirs", takesValue: true, message: { id: flow, task: "bullrush.collect", args: [] } });
    expect(calls[0]?.message.replaces).toContainEqual({ id, task: "outer" });
  }
});

test("group of a task in an undeclared queue: collected in that queue", () => {
  const { add, replacement } = prepare({ createMissingQueues: false, queues: ["default"] });
  expect(replacement(group(add.s(1, 2), add.s(3, 4))).calls[0]).toMatchObject({ queue: "theirs", message: { priority: 0 } });
});

test("value that is no canvas: refused", () => {
  const { add, replacement } = prepare();
  expect(thrownBy(() => replacement(add as never))).toEqual(failing("INVALID_OPTION", { option: "what was given to this.replace()" }));
});

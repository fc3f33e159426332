import { callId, copyId, groupId, Router, Topology, type Clock, type Flow, type Message } from "@bullrush/broker";
import { describe, expect, test } from "vitest";
import { costOf } from "../../../../integration/lib/cost-of.js";
import { compile, type Compiled } from "../../src/canvas/compile.js";
import { nodeOf as nodeOfData } from "../../src/canvas/data.js";
import { contentOf } from "../../src/canvas/content.js";
import type { Trace } from "../../src/canvas/plan.js";
import { chain, chord, createApp, group, runInTask, type AnyCanvas, type CanvasData, type TaskContext } from "../../src/index.js";
import { localContext } from "../../src/task/local-context.js";
import { failing, thrownBy } from "../support.js";
import { evaluate, type Ending, type Functions } from "./evaluate.js";
import { interpret } from "./interpret.js";
import { randomCanvas, randomFrom } from "./random-canvas.js";

const now = 1_700_000_000_000;
const clock: Clock = { now: () => now };
const replyTo = "bullrush:reply:here";
const id = "0b5a7a10-1111-4222-8333-abcdefabcdef";
const app = createApp({ broker: "redis://127.0.0.1:1" });
const add = app.task("add", (x: number, y: number) => x + y);
const show = app.task("show", (x: unknown) => String(x));
const sum = app.task("sum", (all: readonly unknown[]) => all.length);
const warn = app.stub("warn");

const topology = new Topology([
  "default",
  { name: "left", exchange: { name: "everywhere", type: "fanout" } },
  { name: "right", exchange: "everywhere" },
]);
const router = new Router({ topology, routes: {}, defaultQueue: "default" });
const setting = { options: { router, maxPayload: 1_000_000, resultExpires: 5000 }, replyTo, clock };

function compiled(canvas: AnyCanvas): Compiled {
  return compile(contentOf(canvas, "it").node, setting);
}

function flowOf(canvas: AnyCanvas): Flow {
  const result = compiled(canvas);
  if (!("flow" in result)) throw new Error("it is no flow");
  return result.flow;
}

/** The messages of a canvas that is no flow. */
function messagesOf(canvas: AnyCanvas): readonly Message[] {
  const result = compiled(canvas);
  if ("flow" in result) throw new Error("it is a flow");
  return result.sendings.flat().map(({ message }) => message);
}

/** A flow in short: each call as its task, its arguments and where its value goes. */
function shapeOf({ calls, joins, entries }: Flow) {
  const short = calls.map(({ message, takesValue }) => {
    const { task, args, positions } = message;
    return `${task}(${[...(takesValue ? ["*"] : []), ...args].join()}) -> ${JSON.stringify(positions?.[0]?.next)}`;
  });
  return { calls: short, joins: joins.map(({ size, onFailure, next }) => ({ size, onFailure, next })), entries };
}

describe("chain", () => {
  test("several steps: a flow in which each step passes its value to the next", () => {
    expect(shapeOf(flowOf(chain(add.s(1, 2), add.s(3), show.si(4), show.s())))).toEqual({
      calls: ["show(*) -> []", 'show(4) -> [["step",0]]', 'add(*,3) -> [["step",1]]', 'add(1,2) -> [["step",2]]'],
      joins: [],
      entries: [["step", 3]],
    });
  });

  test("ids: the last step has the chain's, the others derive from it, and each step's parent is the one before", () => {
    const flow = flowOf(chain(add.s(1, 2), add.s(3), show.s()).set({ taskId: id.toUpperCase() }));
    expect(flow).toMatchObject({ id, replyTo, expires: 5000, maxPayload: 1_000_000 });
    const ids = [id, callId(id, 1), callId(id, 2)];
    const parents = [ids[1], ids[2], undefined];
    expect(flow.calls.map(({ message }) => message.id)).toEqual(ids);
    expect(flow.calls.map(({ message }) => message.parentId)).toEqual(parents);
    for (const [call, { message, text }] of flow.calls.entries()) {
      expect(message).toMatchObject({ rootId: ids[2], replyTo, resent: true });
      expect(message.positions?.[0]).toMatchObject({ flow: id, call });
      expect(JSON.parse(text ?? "")).toMatchObject({ args: message.args });
    }
  });

  test("within a task: its child", () => {
    const running: TaskContext = { ...localContext("outer", []), rootId: callId(id, 9), queue: "q", worker: "w1" };
    const [last, first] = runInTask(running, () => flowOf(chain(add.s(1, 2), show.s()))).calls;
    expect(first?.message).toMatchObject({ rootId: running.rootId, parentId: running.id });
    expect(first?.message).not.toHaveProperty("resent");
    expect(last?.message).toMatchObject({ rootId: running.rootId, parentId: first?.message.id });
  });

  test("one step: no flow; one group: what the group is by itself", () => {
    expect(messagesOf(chain(add.s(1, 2)))).toMatchObject([{ task: "add" }]);
    expect(messagesOf(chain(group(add.s(1, 2), show.s(3))))).toMatchObject([{ task: "add" }, { task: "show" }]);
  });
});

describe("group", () => {
  test("nothing follows: no flow, and its members know the group", () => {
    const messages = messagesOf(group(add.s(1, 2), group(show.s(3)), show.s(4)).set({ taskId: id }));
    expect(messages.map(({ groupId }) => groupId)).toEqual([id, groupId(id, 1), id]);
    expect(messages.map((message) => message.id)).toEqual([0, 1, 2].map((number) => callId(id, number)));
    for (const message of messages) {
      expect(message).toMatchObject({ replyTo, rootId: messages[0]?.id });
      expect(message).not.toHaveProperty("positions");
      expect(message).not.toHaveProperty("parentId");
    }
  });

  test("after a step: each member gets its value, and one waits for all", () => {
    const flow = flowOf(chain(add.s(1, 2), group(add.s(3), add.si(4, 5)), sum.s(), show.s()));
    expect(shapeOf(flow)).toEqual({
      calls: [
        "show(*) -> []",
        'sum(*) -> [["step",0]]',
        'add(*,3) -> [["slot",0,0]]',
        'add(4,5) -> [["slot",0,1]]',
        'add(1,2) -> [["step",2],["step",3]]',
      ],
      joins: [{ size: 2, onFailure: "fail", next: [["step", 1]] }],
      entries: [["step", 4]],
    });
    const [, body, ...members] = flow.calls.map(({ message }) => message);
    expect(members.map(({ groupId }) => groupId)).toEqual([flow.joins[0]?.id, flow.joins[0]?.id, undefined]);
    expect(members.map(({ parentId }) => parentId)).toEqual([members[2]?.id, members[2]?.id, undefined]);
    expect(body?.parentId).toBe(members[1]?.id);
  });

  test("before a step: the parent of that step is the last member", () => {
    const parents = (canvas: AnyCanvas) => {
      const { calls } = flowOf(canvas);
      const nameOf = (id?: string) => calls.find(({ message }) => message.id === id)?.message.task;
      return calls.map(({ message: { task, parentId } }) => `${nameOf(parentId) ?? "-"}>${task}`);
    };
    expect(parents(chord([add.s(1, 2), show.s(1)], sum.s()))).toEqual(["show>sum", "->add", "->show"]);
    expect(parents(chord([group(show.s(1), chord([add.s(1, 2)], warn.s())), group()], chain(sum.s(), show.s())))[0]).toBe("sum>show");
    expect(parents(chord([show.s(1), chord([add.s(1, 2)], warn.s()), group()], sum.s()))[0]).toBe("warn>sum");
    expect(parents(chain(add.s(1, 2), group(), sum.s()))).toEqual(["add>sum", "->add"]);
    expect(parents(chain(group(add.s(1, 2)), group(show.s(), warn.s())))).toEqual(["add>show", "add>warn", "->add"]);
    expect(parents(chord([], sum.s()))).toEqual(["->sum"]);
  });

  test("after a step: the calls that begin its members, at least one each, get the value", () => {
    const entered = (canvas: AnyCanvas) =>
      flowOf(canvas).calls.flatMap(({ message: { task }, startsMembersOf }) => (startsMembersOf ? [[task, startsMembersOf]] : []));
    expect(entered(chord([add.s(1, 2), show.s(3)], sum.s()))).toEqual([]);
    const inner = chord([show.s(), show.s()], sum.s(), { onFailure: "partial" });
    expect(entered(chain(show.s(1), group(inner, chain(warn.s(), warn.s())), sum.s()))).toEqual([
      ["show", [1, 0]],
      ["show", [1, 0]],
      ["warn", [0]],
    ]);
    expect(entered(chain(show.s(1), group(chain(group(), warn.s()), group()), sum.s()))).toEqual([
      ["warn", [0]],
      ["bullrush.collect", [0]],
    ]);
    const empty = chain(show.s(1), group(group(group())), sum.s().set({ queue: "q" }));
    expect(entered(empty)).toEqual([["bullrush.collect", [1, 0]]]);
    expect(flowOf(empty).calls[1]).toMatchObject({ queue: "q", message: { positions: [{ next: [["open", 2]] }] } });
  });

  test("three and more groups in a row: one target for what comes before", () => {
    const members = [show.s(), show.s(), show.s()];
    const range = ["steps", 2, 4];
    expect(shapeOf(flowOf(chain(add.s(1, 2), group(...members, chain(add.s(1), show.s())), sum.s(), show.s()))).calls.at(-1)).toBe(
      `add(1,2) -> ${JSON.stringify([range, ["step", 6]])}`,
    );
    expect(flowOf(chain(group(members), sum.s())).entries).toEqual([["steps", 1, 3]]);
    expect(flowOf(chain(group(members.slice(1)), sum.s())).entries).toEqual([
      ["step", 1],
      ["step", 2],
    ]);
  });

  test("end of a chain: passes its value to nobody", () => {
    const flow = flowOf(chain(add.s(1, 2), group(show.s(), show.s())));
    expect(shapeOf(flow)).toMatchObject({ calls: ["show(*) -> []", "show(*) -> []", 'add(1,2) -> [["step",0],["step",1]]'], joins: [] });
    expect(flow.calls[0]?.message.groupId).toBe(flow.id);
  });

  test("no members: an empty array", () => {
    expect(shapeOf(flowOf(chain(add.s(1, 2), group(), sum.s())))).toEqual({
      calls: ["sum(*) -> []", 'add(1,2) -> [["open",0]]'],
      joins: [{ size: 0, onFailure: "fail", next: [["step", 0]] }],
      entries: [["step", 1]],
    });
    expect(shapeOf(flowOf(chord([], sum.s())))).toMatchObject({ calls: ["sum(*) -> []"], entries: [["open", 0]] });
    expect(messagesOf(group())).toEqual([]);
  });
});

describe("chord", () => {
  test("a group before its body, with or without members", () => {
    const flow = flowOf(chord([add.s(1, 2), chain(add.s(3, 4), show.s())], sum.s(), { onFailure: "partial" }));
    expect(shapeOf(flow)).toEqual({
      calls: ["sum(*) -> []", 'add(1,2) -> [["slot",0,0]]', 'show(*) -> [["slot",0,1]]', 'add(3,4) -> [["step",2]]'],
      joins: [{ size: 2, onFailure: "partial", next: [["step", 0]] }],
      entries: [
        ["step", 1],
        ["step", 3],
      ],
    });
    expect(flow.calls[0]?.message.id).toBe(flow.id);
    expect(new Set(flow.calls.slice(1).map(({ message }) => message.groupId))).toEqual(new Set([flow.joins[0]?.id]));
  });

  test("nested in others: compiled", () => {
    expect(shapeOf(flowOf(chord([chord([show.s(1)], sum.s())], sum.s())))).toMatchObject({
      calls: ["sum(*) -> []", 'sum(*) -> [["slot",0,0]]', 'show(1) -> [["slot",1,0]]'],
      joins: [{ next: [["step", 0]] }, { next: [["step", 1]] }],
      entries: [["step", 2]],
    });
  });
});

describe("links", () => {
  test("of a call: follow a success, error links a failure, and nobody waits for them", () => {
    const flow = flowOf(
      add
        .s(1, 2)
        .link([show.s(), chain(add.s(3), show.s())])
        .onError(warn.s("ops")),
    );
    expect(shapeOf(flow)).toEqual({
      calls: [
        "show(*) -> []",
        "show(*) -> []",
        'add(*,3) -> [["step",1]]',
        "warn(*,ops) -> []",
        'add(1,2) -> [["link",0],["link",2],["error",3,4,4]]',
      ],
      joins: [],
      entries: [["step", 4]],
    });
    const call = flow.calls[4]?.message;
    expect(call).toMatchObject({ id: flow.id, replyTo });
    for (const number of [0, 2, 3]) expect(flow.calls[number]?.message).toMatchObject({ parentId: call?.id });
    for (const { message } of flow.calls.slice(0, 4)) expect(message).not.toHaveProperty("replyTo");
  });

  test("of a chain, a chord, a group: those of its last step, its body, each member", () => {
    const next = (flow: Flow) => flow.calls.filter(({ message: { positions } }) => positions?.[0]?.next.some(([kind]) => kind === "link"));
    const tasks = (flow: Flow) => next(flow).map(({ message }) => message.task);
    expect(tasks(flowOf(chain(add.s(1, 2), show.s()).link(warn.s())))).toEqual(["show"]);
    expect(tasks(flowOf(chord([add.s(1, 2)], sum.s()).set({ link: warn.s() })))).toEqual(["sum"]);
    expect(tasks(flowOf(group(add.s(1, 2), show.s(1)).link(warn.s())))).toEqual(["add", "show"]);
  });

  test("of a chain that ends in an empty group: for failures before it; there is no result to link", () => {
    const links = (canvas: AnyCanvas) =>
      flowOf(canvas).calls.flatMap(({ message: { task, positions } }) =>
        (positions?.[0]?.next ?? []).flatMap(([kind]) => (kind === "error" || kind === "link" ? [[task, kind]] : [])),
      );
    const single = chain(add.s(1, 2), show.s(), group());
    expect(links(single.link(sum.s() as never).onError(warn.s()))).toEqual([["show", "error"]]);
    expect(links(single.set({ linkError: warn.s() }))).toEqual([["show", "error"]]);
    const header = chain(add.s(1, 2), chord([show.s()], group(group())));
    const both = [
      ["show", "error"],
      ["add", "error"],
    ];
    expect(links(header.link(sum.s() as never).onError(warn.s()))).toEqual(both);
    expect(links(header.set({ linkError: warn.s() }))).toEqual(both);
    expect(links(chain(group([chain(add.s(1, 2), group()), show.s(1)]), show.s()).onError(warn.s()))).toEqual([["show", "error"]]);
  });

  /** The tasks that have error links, with the error links of each. */
  function toldOf(canvas: AnyCanvas): readonly string[] {
    const { calls } = flowOf(canvas);
    const named = (first = -1, last = -1) =>
      calls
        .slice(first, last + 1)
        .map(({ message: { task } }) => task)
        .filter((task) => task !== "warn");
    return calls.flatMap(({ message: { task, positions } }) =>
      (positions?.[0]?.next ?? []).flatMap(([kind, , first, last]) =>
        kind === "error" ? [`${task}: ${named(first, last).toReversed().join()}`] : [],
      ),
    );
  }

  test("error links: called for their call, and a chain's for all its steps, in one call", () => {
    expect(toldOf(chain(add.s(1, 2).onError(warn.s()), show.s().onError(warn.s())))).toEqual(["show: show", "add: add"]);
    expect(toldOf(chain(add.s(1, 2), show.s()).onError(warn.s()))).toEqual(["show: add,show"]);
    expect(toldOf(chain(chain(add.s(1, 2), show.s()).onError(warn.s()), show.s()))).toEqual(["show: add,show"]);
    expect(toldOf(chain(add.s(1, 2), group(show.s(), show.s())).onError(warn.s()))).toEqual([
      "show: show,show",
      "show: show,show",
      "add: add,show,show",
    ]);
    expect(flowOf(chain(add.s(1, 2), ...Array.from({ length: 1000 }, () => add.s(1))).onError(warn.s())).calls).toHaveLength(1002);
  });

  test("equal links: one", () => {
    const twice = add
      .s(1, 2)
      .link([show.s(), show.s()])
      .link(show.s())
      .onError(warn.s(1))
      .onError([warn.s(1), warn.s(2)]);
    expect(twice.toJSON()).toMatchObject({ link: [{ task: "show" }], onError: [{ args: [1] }, { args: [2] }] });
    expect(toldOf(chain(add.s(1, 2).onError(warn.s()), show.s().onError(warn.s())).onError(warn.s()))).toEqual(["show: add,show"]);
    expect(toldOf(chain(chain(add.s(1, 2), show.s()).onError(warn.s()), show.s()).onError(warn.s()))).toEqual(["show: add,show,show"]);
    expect(toldOf(group(add.s(1, 2).onError(warn.s()), show.s(1)).onError(warn.s()))).toEqual(["add: add", "show: show"]);
    expect(
      toldOf(
        add
          .s(1, 2)
          .link(show.s().set({ queue: "a" }))
          .link(show.s())
          .onError(warn.s({ a: 1 }))
          .onError(warn.s({ a: 2 })),
      ),
    ).toHaveLength(2);
  });

  test("in options: added to those of the last step", () => {
    const canvas = chain(
      add.s(1, 2),
      show
        .s()
        .link(sum.s() as never)
        .onError(warn.s("own")),
    );
    const flow = flowOf(canvas.set({ link: show.s(), linkError: warn.s() }));
    const kinds = flow.calls.flatMap(({ message: { task, positions } }) => (positions?.[0]?.next ?? []).map(([kind]) => `${task} ${kind}`));
    expect(kinds).toEqual(["show link", "show link", "show error", "show error", "add step"]);
  });

  test("that begin with an empty group: reached through a call, so that they can be dropped", () => {
    expect(shapeOf(flowOf(add.s(1, 2).onError(chain(group(), sum.s()))))).toMatchObject({
      calls: ["sum(*) -> []", 'bullrush.collect(*) -> [["open",0]]', 'add(1,2) -> [["error",1,2,2]]'],
    });
  });
});

describe("times", () => {
  test("countdown: from the beginning for the first calls, from their turn for the others", () => {
    const timed = add.s(3).set({ countdown: "10s", expires: "1m" });
    const [last, later, first] = flowOf(chain(timed, timed, show.s().set({ eta: new Date(now + 7), expires: new Date(now + 9) }))).calls;
    expect(first).toMatchObject({ message: { eta: now + 10_000, expires: now + 60_000 } });
    expect(first).not.toHaveProperty("countdown");
    expect(first).not.toHaveProperty("lifetime");
    expect(later).toMatchObject({ countdown: 10_000, lifetime: 60_000 });
    expect(later?.message).not.toHaveProperty("eta");
    expect(later?.message).not.toHaveProperty("expires");
    expect(last).toMatchObject({ message: { eta: now + 7, expires: now + 9 } });
    expect(last).not.toHaveProperty("lifetime");
  });

  test("of a declaration: the same", () => {
    const brief = app.task("brief", { expires: "2s" }, (x: number) => x);
    const [last, first] = flowOf(chain(brief.s(1), brief.s())).calls;
    expect(first?.message.expires).toBe(now + 2000);
    expect(last?.lifetime).toBe(2000);
  });
});

describe("options", () => {
  test("of a canvas: for all its calls, but for id and countdown; stamps for its links too", () => {
    const canvas = chain(add.s(1, 2).link(warn.s()), group(show.s(), show.s().set({ queue: "a" })))
      .set({ queue: "b", priority: 3, countdown: 10, taskId: id })
      .stamp({ tenant: "x" });
    const flow = flowOf(canvas);
    expect(flow.id).toBe(id);
    expect(flow.calls.map(({ queue, countdown, message }) => [message.task, queue, message.priority, message.eta ?? countdown])).toEqual([
      ["show", "b", 3, undefined],
      ["show", "b", 3, undefined],
      ["warn", "default", 0, undefined],
      ["add", "b", 3, now + 10],
    ]);
    for (const { message } of flow.calls) expect(message.headers).toEqual({ tenant: "x" });
  });

  test("of a call: the same in a flow", () => {
    const given = callId(id, 77);
    const quiet = add.s(3).set({ ignoreResult: true, taskId: given });
    const [, call] = flowOf(chain(add.s(1, 2), quiet, show.s())).calls;
    expect(call?.message).toMatchObject({ id: given, ignoreResult: true, resent: true });
    expect(call?.message).not.toHaveProperty("replyTo");
    expect(thrownBy(() => flowOf(chain(quiet, quiet, show.s())))).toEqual(failing("INVALID_OPTION"));
  });

  test.each<[what: string, canvas: () => AnyCanvas, code: string]>([
    ["an option that does not exist", () => chain(add.s(1, 2), show.s().set({ prio: 1 } as object)), "INVALID_OPTION"],
    ["a bad id", () => chain(add.s(1, 2), show.s()).set({ taskId: "42" }), "INVALID_TASK_ID"],
    ["what has no JSON form", () => chain(add.s(1, 2n as never), show.s()), "ENCODE_ERROR"],
    ["nowhere to go", () => group(add.s(1, 2), show.s(1).set({ exchange: "none" })), "UNROUTABLE"],
  ])("refused: %s", (_, canvas, code) => {
    expect(thrownBy(() => compiled(canvas()))).toEqual(failing(code));
  });
});

test("call that goes to several queues: as many calls, and nobody waits for the copies", () => {
  const everywhere = { exchange: "everywhere" };
  const flow = flowOf(chain(add.s(1, 2).set(everywhere), show.s().set(everywhere)));
  const [show1, show2, add1, add2] = flow.calls;
  expect(flow.calls.map(({ queue }) => queue)).toEqual(["left", "right", "left", "right"]);
  expect(flow.entries).toEqual([
    ["step", 2],
    ["link", 3],
  ]);
  expect(add1?.message.positions?.[0]?.next).toEqual([
    ["step", 0],
    ["link", 1],
  ]);
  expect(add2?.message).toMatchObject({ id: copyId(add1?.message.id ?? "", "right"), positions: [{ call: 3, next: [] }] });
  expect(show2?.message).toMatchObject({ id: copyId(flow.id, "right"), headers: { fanoutOf: flow.id }, parentId: add1?.message.id });
  expect(show2).toMatchObject({ takesValue: true });
  for (const copy of [show2, add2]) expect(copy?.message).not.toHaveProperty("replyTo");
  expect(show1?.message.id).toBe(flow.id);
  const direct = compiled(group(add.s(1, 2).set(everywhere), show.s(1)));
  expect("sendings" in direct && direct.sendings.map((sending) => sending.length)).toEqual([2, 1]);
});

test("chunks: one message for several lists of arguments", () => {
  const messages = messagesOf(
    add.chunks(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      2,
    ),
  );
  expect(messages).toMatchObject([
    {
      args: [
        [1, 2],
        [3, 4],
      ],
      each: true,
    },
    { args: [[5, 6]], each: true },
  ]);
  expect(messagesOf(show.map([1, 2])).map(({ args }) => args)).toEqual([[1], [2]]);
  expect(messagesOf(add.starmap([[1, 2]])).map(({ args }) => args)).toEqual([[1, 2]]);
  expect(flowOf(chain(add.s(1, 2), show.map([5]), sum.s())).calls[1]).toMatchObject({ takesValue: false, message: { args: [5] } });
});

describe("random canvases", () => {
  /** Tasks that write down how they were called. */
  function functions(calls: string[]): Functions {
    const called = (task: string, args: readonly unknown[]) => void calls.push(`${task}${JSON.stringify(args)}`);
    return {
      list: (...args) => (called("list", args), args),
      fail: (...args) => {
        called("fail", args);
        throw new Error(`no ${JSON.stringify(args)}`);
      },
      "bullrush.collect": (value) => value,
    };
  }

  /** How a canvas comes out whose calls came out so. */
  function endingOf(trace: Trace, endings: ReadonlyMap<string, Ending>): unknown {
    if ("call" in trace) {
      const ending = endings.get(trace.call.id);
      if (ending === undefined) throw new Error("it did not end");
      if ("failureInfo" in ending) throw new Error(ending.failureInfo);
      return ending.value;
    }
    let before = isEmpty(trace) ? trace.parent : undefined;
    while (before !== undefined && "group" in before && before.isPartial) before = before.parent;
    if (before !== undefined) endingOf(before, endings);
    return trace.members.map((member) => endingOf(member, endings));
  }

  const isEmpty = (trace: Trace): boolean => "group" in trace && trace.members.every(isEmpty);

  const outcomeOf = (act: () => unknown) => {
    try {
      return { value: act() };
    } catch (error) {
      return { error: (error as Error).message };
    }
  };

  function asFlow(result: Compiled): Flow {
    if ("flow" in result) return result.flow;
    const calls = result.sendings.flat().map((routed, call) => {
      const positions = [{ flow: id, call, next: [] }];
      return { ...routed, message: { ...routed.message, positions }, takesValue: false };
    });
    return { id, calls, joins: [], entries: calls.map((_, call) => ["step", call]), expires: 1, maxPayload: 1 };
  }

  test.each([1, 2, 3, 4, 5])("compiled: the value of the canvas, with each call run once (seed %i)", (seed) => {
    const random = randomFrom(seed);
    for (let round = 0; round < 200; round++) {
      const data: CanvasData = randomCanvas(random, 1 + (round % 4));
      const [expected, actual]: [string[], string[]] = [[], []];
      const result = compile(
        nodeOfData(data, () => ({}), "it"),
        setting,
      );
      const endings = interpret(asFlow(result), functions(actual));
      const outcome = outcomeOf(() => endingOf(result.plan.result, endings));
      expect({ outcome, data }).toEqual({ outcome: outcomeOf(() => evaluate(data, functions(expected))), data });
      expect(actual.toSorted()).toEqual(expected.toSorted());
    }
  });
});

test("a thousand steps and ten thousand members: compiled in little time", () => {
  const steps = Array.from({ length: 1000 }, () => add.s(1));
  const long = chain(...steps);
  const wide = chain(show.map(Array.from({ length: 10_000 }, (_, index) => index)), sum.s());
  const cost = costOf(() => {
    expect(flowOf(long).calls).toHaveLength(1000);
    expect(flowOf(wide).calls).toHaveLength(10_001);
  });
  // Ten times what it takes.
  expect(cost).toBeLessThan(1500);
});

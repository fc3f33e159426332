import {
  chain,
  chord,
  group,
  TaskFailedError,
  TaskRevokedError,
  type AsyncResult,
  type GroupResult,
  type Handle,
  type FailureInfo,
  type SendableBy,
  type TaskOf,
} from "@bullrush/client";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { openStage } from "./stage.js";

const timeout = { timeout: hangTimeout } as const;

/** An app with tasks that count how often they ran, and a worker. */
async function open() {
  const stage = openStage();
  onTestFinished(() => stage[Symbol.asyncDispose]());
  const { app } = stage;
  const ran: string[] = [];
  const counted = <Run extends (...args: never) => unknown>(name: string, run: Run & SendableBy<Run>): TaskOf<Run> => {
    const counting = (...args: never): unknown => {
      ran.push(name);
      return run(...args);
    };
    return app.task(name, counting as Run & SendableBy<Run>);
  };
  const tasks = {
    add: counted("add", (x: number, y: number) => x + y),
    double: counted("double", (x: number) => 2 * x),
    sum: counted("sum", (all: readonly number[]) => all.reduce((one, other) => one + other, 0)),
    list: counted("list", (all: readonly unknown[]) => all),
    fail: counted("fail", (why: string): number => {
      throw new RangeError(why);
    }),
    count: counted("count", (text: string) => text.length),
    note: counted("note", (value: unknown, label: string) => {
      notes.push([label, value]);
    }),
  };
  const notes: [string, unknown][] = [];
  const noted = (label: string) => eventually(`"${label}" is noted`, () => notes.some(([one]) => one === label));
  return { stage, app, ran, notes, noted, ...tasks };
}

describe.concurrent("canvas", () => {
  test("chain: each step gets the value of the one before", async () => {
    const { stage, add, double } = await open();
    await stage.work();
    const result = await chain(add.s(1, 2), add.s(10), double.s(), add.si(4, 5), double.s()).delay();
    expect(await result.get(timeout)).toBe(18);
    const parents: unknown[] = [];
    for (let one: Handle | undefined = result; one !== undefined; one = one.parent) parents.unshift(await one.get());
    expect(parents).toEqual([3, 13, 26, 9, 18]);
    await stage.over();
  });

  test("group: results in the order of the members", async () => {
    const { stage, add, double } = await open();
    await stage.work();
    const result = await group([add.s(1, 2), double.s(4), group([add.s(5, 6)]), chain(add.s(1, 1), double.s())]).delay();
    expect(await result.get(timeout)).toEqual([3, 8, [11], 4]);
    await stage.over();
  });

  test("chord: the body gets the results of the header, in order, once", async () => {
    const { stage, add, sum, ran } = await open();
    await stage.work();
    const result = await chord([add.s(1, 2), add.s(3, 4), add.s(5, 6)], sum.s()).delay();
    expect(await result.get(timeout)).toBe(21);
    expect(ran.filter((name) => name === "sum")).toHaveLength(1);
    expect(await result.parent?.get()).toEqual([3, 7, 11]);
    await stage.over();
  });

  test("group inside a chain: the next step is its body", async () => {
    const { stage, add, double, sum } = await open();
    await stage.work();
    const canvas = chain(add.s(1, 1), group([add.s(10), double.s()]), sum.s(), double.s());
    expect(await (await canvas.delay()).get(timeout)).toBe(32);
    // It ends in a group.
    const ending = await chain(add.s(1, 1), group([add.s(10), double.s()])).delay();
    expect(await ending.get(timeout)).toEqual([12, 4]);
    expect(await ending.parent?.get()).toBe(2);
    await stage.over();
  });

  test("chord inside a group, chain of chords, chord with a chain as body: their values", async () => {
    const { stage, add, double, sum } = await open();
    await stage.work();
    const inner = chord([add.s(1, 2), add.s(3, 4)], sum.s());
    expect(await (await group([inner, add.s(0, 1), inner]).delay()).get(timeout)).toEqual([10, 1, 10]);
    const second = group([double.s(), add.s(1)]);
    expect(await (await chain(inner, second, sum.s()).delay()).get(timeout)).toBe(31);
    expect(await (await chord([inner, inner], chain(sum.s(), double.s(), double.s())).delay()).get(timeout)).toBe(80);
    await stage.over();
  });

  test("map, starmap, chunks: a result for each call", async () => {
    const { stage, add, double, sum } = await open();
    await stage.work();
    expect(await (await double.map([1, 2, 3]).delay()).get(timeout)).toEqual([2, 4, 6]);
    expect(
      await (
        await add
          .starmap([
            [1, 2],
            [3, 4],
          ])
          .delay()
      ).get(timeout),
    ).toEqual([3, 7]);
    const chunks = await add
      .chunks(
        [
          [1, 1],
          [2, 2],
          [3, 3],
        ],
        2,
      )
      .delay();
    expect(await chunks.get(timeout)).toEqual([[2, 4], [6]]);
    expect(chunks.results).toHaveLength(2);
    expect(await (await chain(double.map([1, 2, 3]), sum.s()).delay()).get(timeout)).toBe(12);
    await stage.over();
  });

  test("empty groups: empty arrays", async () => {
    const { stage, add, sum, double } = await open();
    await stage.work();
    expect(await (await group([]).delay()).get(timeout)).toEqual([]);
    expect(await (await chord([] as ReturnType<typeof add.s>[], sum.s()).delay()).get(timeout)).toBe(0);
    expect(await (await chain(add.s(1, 2), double.map([]), sum.s()).delay()).get(timeout)).toBe(0);
    await stage.over();
  });

  test("partial signature: completed when it is sent", async () => {
    const { stage, add, double } = await open();
    await stage.work();
    expect(await (await add.s(2).delay(4)).get(timeout)).toBe(6);
    expect(await (await chain(add.s(2), double.s()).delay(4)).get(timeout)).toBe(12);
  });

  test("failing step: all later steps fail with its failure and name", async () => {
    const { stage, add, fail, double, ran } = await open();
    await stage.work();
    const result = await chain(add.s(1, 2), fail.si("no luck"), double.s(), double.s()).delay();
    const error = await result.get(timeout).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TaskFailedError);
    const failed = result.parent?.parent as AsyncResult;
    expect(error).toMatchObject({
      message: `fail[${failed.id}] failed: RangeError: no luck`,
      cause: { name: "RangeError", message: "no luck" },
    });
    expect(await failed.status()).toBe("FAILURE");
    expect(await (result.parent as AsyncResult).status()).toBe("FAILURE");
    expect(ran).toEqual(["add", "fail"]);
    await stage.over();
  });

  test("chord with failing members: fails with a ChordError that names them, when all have ended", async () => {
    const { stage, add, fail, sum, list, ran } = await open();
    await stage.work();
    const result = await chord([add.s(1, 2), fail.s("one"), fail.s("two")], sum.s()).delay();
    const header = result.parent as GroupResult;
    const [, one, two] = header.results as readonly AsyncResult[];
    await expect(result.get(timeout)).rejects.toMatchObject({
      cause: {
        name: "ChordError",
        code: "CHORD_FAILED",
        message: `2 of 3 members of a group failed: fail[${one!.id}] failed: RangeError: one; fail[${two!.id}] failed: RangeError: two`,
      },
    });
    expect(ran.toSorted()).toEqual(["add", "fail", "fail"]);
    const some = await chord([add.s(1, 2), fail.s("one")], list.s(), { onFailure: "partial" }).delay();
    expect(await some.get(timeout)).toEqual([3, null]);
    await stage.over();
  });

  test("links: the value; error links: the failure; each only for its own call", async () => {
    const { stage, add, fail, note, notes, noted } = await open();
    await stage.work();
    const linked = await add.applyAsync([1, 2], { link: note.s("well"), linkError: note.s("never") });
    expect(await linked.get(timeout)).toBe(3);
    const failed = await fail
      .s("no luck")
      .link(note.s("never"))
      .onError([note.s("told"), note.si(null, "told too")])
      .delay();
    await failed.get({ ...timeout, propagate: false });
    for (const label of ["well", "told", "told too"]) await noted(label);
    const failureInfo = notes.find(([label]) => label === "told")?.[1] as FailureInfo;
    expect(failureInfo).toMatchObject({
      id: failed.id,
      task: "fail",
      state: "FAILURE",
      failure: { name: "RangeError", message: "no luck" },
    });
    // Of a chain, whichever step it was.
    const chained = await chain(fail.s("first"), add.s(1)).onError(note.s("chain")).delay();
    await noted("chain");
    expect(notes.find(([label]) => label === "chain")?.[1]).toMatchObject({ id: (chained.parent as AsyncResult).id, task: "fail" });
    await stage.over();
    expect(notes.map(([label]) => label).toSorted()).toEqual(["chain", "told", "told too", "well"]);
  });

  test("replace: the task ends as the canvas does", async () => {
    const { stage, app, add, double, sum, list } = await open();
    const factorial = app.task("factorial", function (n: number, so: number): number {
      return n <= 1 ? so : this.replace(factorial.s(n - 1, so * n));
    });
    const fan = app.task("fan", function (n: number): number[] {
      return this.replace(group(Array.from({ length: n }, (_, index) => double.s(index))));
    });
    await stage.work();
    expect(await (await factorial.delay(20, 1)).get(timeout)).toBe(2_432_902_008_176_640_000);
    expect(await (await fan.delay(3)).get(timeout)).toEqual([0, 2, 4]);
    expect(await (await chain(add.s(1, 2), fan.s(), sum.s()).delay()).get(timeout)).toBe(6);
    expect(await (await chord([fan.s(2), factorial.s(3, 1)], list.s()).delay()).get(timeout)).toEqual([[0, 2], 6]);
    await stage.over();
  });

  test("stamps: headers of every call", async () => {
    const { stage, app } = await open();
    const seen: unknown[] = [];
    const look = app.task("look", function (..._: unknown[]) {
      seen.push(this.headers["tenant"]);
    });
    const over = app.task("over", function (..._: unknown[]): void {
      seen.push(this.headers["tenant"]);
      return this.replace(chain(look.si(), look.si()));
    });
    await stage.work();
    const canvas = chain(look.si(), group([look.si(), over.si()]), look.si().link(look.si()));
    await (await canvas.stamp({ tenant: "a" }).delay()).get(timeout);
    await stage.over();
    expect(seen).toEqual(Array.from({ length: 7 }, () => "a"));
  });

  test("countdown of a step: counts from its turn", async () => {
    const { stage, app, add } = await open();
    const at: number[] = [];
    const clock = app.task("clock", (..._: unknown[]) => void at.push(Date.now()));
    await stage.work();
    const result = await chain(clock.si(), clock.si().set({ countdown: 300 }), add.si(1, 2)).delay();
    expect(await result.get(timeout)).toBe(3);
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(300);
  });

  test("revoke: nothing more starts; what has ended stays", async () => {
    const { stage, app, add, ran } = await open();
    let begin = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const wait = app.task("wait", async function () {
      begin();
      await new Promise((_, reject) => this.signal.addEventListener("abort", () => reject(this.signal.reason as Error)));
      return 1;
    });
    await stage.work();
    const result = await chain(add.s(1, 2), wait.si(), add.s(1), add.s(1)).delay();
    expect(await result.status()).toBe("PENDING");
    await begun;
    expect(await result.revoke({ reason: "enough" })).toBe(true);
    await expect(result.get(timeout)).rejects.toBeInstanceOf(TaskRevokedError);
    await stage.over();
    const states: string[] = [];
    for (let one: AsyncResult | undefined = result; one !== undefined; one = one.parent as AsyncResult | undefined) {
      states.unshift(await one.status());
    }
    expect(states).toEqual(["SUCCESS", "REVOKED", "REVOKED", "REVOKED"]);
    expect(ran).toEqual(["add"]);
  });

  test("revoke: error links are called; a replaced task is revoked at once, with its replacement", async () => {
    const { stage, app, add, note, notes, noted, ran } = await open();
    const wait = app.task("wait", async function (): Promise<number> {
      await new Promise((_, reject) => this.signal.addEventListener("abort", () => reject(this.signal.reason as Error)));
      return 1;
    });
    const begun = app.task("begun", function (): number {
      return this.replace(chain(wait.si(), add.s(1)));
    });
    await stage.work();
    const linked = await wait.si().onError(note.s("called off")).delay();
    await eventually("it runs", async () => (await linked.status()) === "STARTED");
    expect(await linked.revoke({ reason: "enough" })).toBe(true);
    await noted("called off");
    expect(notes).toMatchObject([["called off", { id: linked.id, state: "REVOKED", reason: "enough" }]]);
    const replaced = await begun.delay();
    await eventually("it is replaced", async () => (await app.engine.results.read([replaced.id]))[0]?.flow !== undefined);
    expect(await replaced.revoke()).toBe(true);
    expect(await replaced.status()).toBe("REVOKED");
    await stage.over();
    expect(ran).toEqual(["note"]);
  });

  test("a thousand steps: short messages, and a state by id for each step", async () => {
    const { stage, app, add } = await open();
    const steps = Array.from({ length: 999 }, () => add.s(1));
    const result = await chain(add.s(0, 1), ...steps).delay();
    const lengths = await Promise.all(
      (await stage.redis.lrange(`${app.options.prefix}:default:wait`, 0, -1)).map((id) =>
        stage.redis.hstrlen(`${app.options.prefix}:default:${id}`, "data"),
      ),
    );
    expect(lengths).toHaveLength(1);
    expect(lengths[0]).toBeLessThan(400);
    expect(await app.asyncResult(result.id).status()).toBe("PENDING");
    await stage.work();
    expect(await result.get(timeout)).toBe(1000);
    await stage.over();
  });

  test("with ten thousand members has its body called once, with all results in order", async () => {
    const { stage, app, ran } = await open();
    const identity = app.task("identity", (x: number) => x);
    const check = app.task("check", (all: readonly number[]) => {
      ran.push("check");
      return all.length === 10_000 && all.every((one, index) => one === index);
    });
    await stage.work();
    const result = await chain(identity.map(Array.from({ length: 10_000 }, (_, index) => index)), check.s()).delay();
    expect(await result.get({ timeout: hangTimeout })).toBe(true);
    expect(ran).toEqual(["check"]);
    await stage.over();
  });
});

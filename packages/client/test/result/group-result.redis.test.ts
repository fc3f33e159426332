import { newId } from "@bullrush/broker";
import { describe, expect, inject, test } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { gather, GroupResult, waitFor, type App, type AsyncResult, type Handle } from "../../src/index.js";
import { redis } from "../redis.js";
import { failing, rejected, testApp } from "../support.js";
import { failure, several, sourceOf, tell } from "./tasks.js";

type Three = readonly [AsyncResult, AsyncResult, AsyncResult];

const pick = ({ engine, options }: App) => ({ engine, options });

/** A group of a task and a group of two. */
async function nested(app: App, parent?: Handle) {
  const members = (await several(app, 3)) as unknown as Three;
  const source = sourceOf(app);
  const inner = new GroupResult(source, { id: newId(), results: members.slice(1) });
  const group = new GroupResult<[number, [number, number]]>(source, {
    id: newId(),
    results: [members[0], inner],
    ...(parent && { parent }),
  });
  return { group, inner, members };
}

async function endAll(app: App, members: Three): Promise<void> {
  for (const [index, re] of members.entries()) await tell(app, re, { result: index });
}

describe("group", () => {
  test("get(): values in the order of members, nested groups as arrays", async () => {
    const app = testApp();
    const { group, members } = await nested(app);
    const get = group.get({ timeout: hangTimeout });
    await endAll(app, members.toReversed() as unknown as Three);
    expect(await get).toEqual([2, [1, 0]]);
    expect(await group.get({ propagate: false })).toEqual([
      { state: "SUCCESS", result: 2 },
      { state: "SUCCESS", result: [1, 0] },
    ]);
  });

  test("failed member: get() rejects with its failure", async () => {
    const app = testApp();
    const { group, members } = await nested(app);
    await tell(app, members[2], { state: "FAILURE", failure, task: "tasks.t2" });
    expect(await rejected(group.get())).toEqual(failing("TASK_FAILED", { id: members[2].id }));
  });

  test("members and parent: known", async () => {
    const before = testApp().asyncResult(newId());
    const { group, inner, members } = await nested(testApp(), before);
    expect([...group]).toEqual([members[0], inner]);
    expect(group.parent).toBe(before);
  });

  test("completedCount(): how many have succeeded", async () => {
    const app = testApp();
    const { group, members } = await nested(app);
    const looks = async () => [await group.completedCount(), await group.ready(), await group.successful(), await group.failed()];
    expect(await looks()).toEqual([0, false, false, false]);
    await tell(app, members[0], { result: 1 });
    await tell(app, members[1], { result: 1 });
    expect(await looks()).toEqual([1, false, false, false]);
    await tell(app, members[2], { result: 1 });
    expect(await looks()).toEqual([2, true, true, false]);
  });

  test("failed(): true once a member has failed, ready or not", async () => {
    const app = testApp();
    const { group, members } = await nested(app);
    await tell(app, members[1], { state: "FAILURE", failure });
    expect([await group.ready(), await group.successful(), await group.failed()]).toEqual([false, false, true]);
  });

  test("empty group: succeeded", async () => {
    const group = new GroupResult(sourceOf(testApp()), { id: newId(), results: [] });
    expect([await group.get(), await group.ready(), await group.successful(), await group.completedCount()]).toEqual([[], true, true, 0]);
    expect([await group.revoke(), await group.failed(), [...group]]).toEqual([[], false, []]);
  });

  test("empty group after a step: ends as the step does", async () => {
    const app = testApp();
    const [first, second] = (await several(app, 2)) as unknown as Three;
    const source = sourceOf(app);
    const behind = (parent: Handle) => new GroupResult(source, { id: newId(), results: [], parent });
    const [group, around, broken] = [behind(first), new GroupResult(source, { id: newId(), results: [behind(first)] }), behind(second)];
    const get = group.get({ timeout: hangTimeout });
    const looks = async (of: Handle) => [await of.ready(), await of.successful(), await of.failed()];
    expect(await looks(group)).toEqual([false, false, false]);
    expect(await rejected(group.get({ timeout: 50 }))).toEqual(failing("TASK_TIMEOUT", { id: first.id }));
    expect((await waitFor([group, around], { timeout: 50 })).pending).toEqual([group, around]);
    await tell(app, first, { result: 1 });
    await tell(app, second, { state: "FAILURE", failure });
    expect(await get).toEqual([]);
    expect(await gather([around, first, group])).toEqual([[[]], 1, []]);
    expect(await looks(group)).toEqual([true, true, false]);
    expect(await rejected(broken.get())).toEqual(failing("TASK_FAILED", { id: second.id }));
    expect(await looks(broken)).toEqual([true, false, true]);
    expect(await gather([first, broken, around], { propagate: false })).toMatchObject([
      { result: 1 },
      { state: "FAILURE", failure: { name: failure.name } },
      { result: [[]] },
    ]);
  });

  test("members that ignore their results: count as succeeded", async () => {
    const app = testApp();
    const quiet = app.stub("quiet", { ignoreResult: true });
    const group = new GroupResult(sourceOf(app), { id: newId(), results: [await quiet.delay(), (await several(app, 1))[0]!] });
    const looks = async () => [await group.completedCount(), await group.ready(), await group.successful(), await group.failed()];
    expect(await looks()).toEqual([1, false, false, false]);
    await tell(app, group.results[1]!, { result: 1 });
    expect(await looks()).toEqual([2, true, true, false]);
    expect(await group.get({ timeout: hangTimeout })).toEqual([undefined, 1]);
  });

  test("many members: their records are read in batches", async () => {
    const app = testApp();
    const lots: number[] = [];
    const read = app.engine.results.read.bind(app.engine.results);
    const results = { ...app.engine.results, read: (ids: readonly string[]) => (lots.push(ids.length), read(ids)) };
    const engine = { ...app.engine, results };
    const group = new GroupResult(sourceOf({ ...pick(app), engine }), { id: newId(), results: await several(app, 250) });
    expect(await group.ready()).toBe(false);
    expect(lots).toEqual([100, 100, 50]);
  });

  test("revoke(): revokes every member that has not ended", async () => {
    const app = testApp();
    const { group, members } = await nested(app);
    await tell(app, members[0], { result: 1 });
    expect(await group.revoke({ reason: "no need" })).toEqual([false, true]);
    expect(await members[2].get({ propagate: false })).toEqual({ state: "REVOKED", reason: "no need" });
  });

  test("forget(): forgets the results of all members", async () => {
    const app = testApp();
    const { group, members } = await nested(app);
    await endAll(app, members);
    await group.forget();
    expect(await Promise.all(members.map((re) => re.ready()))).toEqual([false, false, false]);
  });
});

describe("saved group", () => {
  test("restored elsewhere, with nested groups", async () => {
    const app = testApp();
    const { group, inner, members } = await nested(app);
    await group.save();
    const restored = await testApp({ prefix: app.options.prefix }).groupResult(group.id);
    expect(restored?.id).toBe(group.id);
    expect(restored?.results.map(({ id }) => id)).toEqual([members[0].id, inner.id]);
    await endAll(app, members);
    expect(await restored?.get({ timeout: hangTimeout })).toEqual([0, [1, 2]]);
  });

  test("kept as long as results, and gone when forgotten", async () => {
    const app = testApp({ resultExpires: "1m" });
    const { group } = await nested(app);
    await group.save();
    const left = Number(await redis(inject("redisUrl"), "PTTL", `bullrush:group:${group.id}`));
    expect(left).toBeGreaterThan(50_000);
    expect(left).toBeLessThanOrEqual(60_000);
    await group.forget();
    expect(await app.groupResult(group.id)).toBeUndefined();
  });

  test("key that holds something else: no group", async () => {
    const app = testApp();
    const id = newId();
    const bad = [
      "{",
      "[]",
      "{}",
      `{"id":"${id}","queues":[]}`,
      `{"id":"${id}","results":[1]}`,
      `{"id":"${id}","results":[{"id":"../x","queues":[]}]}`,
    ];
    for (const text of bad) {
      await app.engine.results.saveGroup(id, text, 60_000);
      expect(await rejected(app.groupResult(id))).toEqual(failing("DECODE_ERROR"));
    }
    expect(await rejected(app.groupResult("x"))).toEqual(failing("INVALID_TASK_ID"));
  });
});

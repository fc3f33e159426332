import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { newId } from "../../src/id.js";
import type { TaskRecord } from "../../src/protocol/record.js";
import type { Desk } from "./desk.js";
import { storeOf } from "./messages.js";

export function describeRecords(desk: () => Desk): void {
  describe("a record", () => {
    test.each<Omit<TaskRecord, "delivery">>([
      {
        state: "SUCCESS",
        result: { sum: [1, 2.5, null, "€😀"] },
        task: "tasks.add",
        queue: "feeds",
        worker: "a",
        attempt: 3,
        startedAt: 1,
        endedAt: 2,
      },
      { state: "SUCCESS" },
      { state: "SUCCESS", result: null },
      {
        state: "FAILURE",
        failure: { name: "TypeError", message: "no", stack: "at", code: "E", cause: { name: "Error", message: "why" } },
      },
      { state: "REVOKED", reason: "expired" },
      { state: "LOADING", meta: { done: 3, of: 7 } },
      { state: "PENDING", flow: newId(), call: 3, task: "tasks.add", queue: "feeds" },
      { state: "SUCCESS", children: [newId(), newId()] },
      { state: "FAILURE", failure: { name: "Error", message: "why" }, origin: { id: newId(), task: "tasks.add" } },
    ])("is read as it was stored: %j", async ({ result, meta, ...facts }) => {
      const id = desk().task();
      const textOf = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value));
      const store = storeOf(id, { ...facts, resultText: textOf(result), metaText: textOf(meta) });
      expect(await desk().backend.store([store])).toEqual(["stored"]);
      expect(await desk().client().read([id])).toEqual([
        { delivery: 1, ...facts, ...(result !== undefined && { result }), ...(meta !== undefined && { meta }) },
      ]);
    });

    test("is read beside others, and beside none, in the order asked for", async () => {
      const [one, none, two] = [desk().task(), desk().task(), desk().task()];
      await desk().backend.store([storeOf(two, { resultText: "2" }), storeOf(one, { resultText: "1" })]);
      const records = await desk().backend.read([one, none, two, one]);
      expect(records.map((record) => record?.result)).toEqual([1, undefined, 2, 1]);
      expect(records[1]).toBeUndefined();
    });

    test("is gone once it is forgotten, and only that one", async () => {
      const [forgotten, kept] = [desk().task(), desk().task()];
      await desk().backend.store([storeOf(forgotten), storeOf(kept)]);
      await desk().backend.forget([forgotten, newId()]);
      expect(await desk().backend.read([forgotten, kept])).toEqual([undefined, { state: "SUCCESS", delivery: 1 }]);
    });

    test("is gone when its time is over", async () => {
      const [short, long] = [desk().task(), desk().task()];
      await desk().backend.store([storeOf(short, {}, { expires: 50 }), storeOf(long)]);
      await eventually("end of the record", async () => (await desk().recordOf(short)) === undefined);
      expect(await desk().recordOf(long)).toMatchObject({ state: "SUCCESS" });
    });

    test("of nothing needs no server", async () => {
      expect(await desk().backend.store([])).toEqual([]);
      expect(await desk().backend.claim([])).toEqual([]);
      expect(await desk().backend.read([])).toEqual([]);
      await desk().backend.forget([]);
    });
  });

  describe("the first terminal state", () => {
    const terminal = ["SUCCESS", "FAILURE", "REVOKED"] as const;

    test.each(terminal.flatMap((first) => [...terminal, "STARTED", "RETRY", "LOADING"].map((second) => [first, second] as const)))(
      "stays: %s, whatever comes after it: %s",
      async (first, second) => {
        const id = desk().task();
        await desk().backend.store([storeOf(id, { state: first })]);
        for (const delivery of [1, 2])
          expect(await desk().backend.store([storeOf(id, { state: second, delivery })])).toEqual(["superseded"]);
        expect(await desk().recordOf(id)).toEqual({ state: first, delivery: 1 });
      },
    );

    test("replaces what came before it", async () => {
      const id = desk().task();
      for (const state of ["PENDING", "STARTED", "LOADING", "RETRY", "STARTED"]) {
        expect(await desk().backend.store([storeOf(id, { state })])).toEqual(["stored"]);
        expect(await desk().recordOf(id)).toMatchObject({ state });
      }
      expect(await desk().backend.store([storeOf(id, { resultText: "3" })])).toEqual(["stored"]);
      expect(await desk().recordOf(id)).toEqual({ state: "SUCCESS", delivery: 1, result: 3 });
    });

    test("of several in one call is the first of them", async () => {
      const [one, other] = [desk().task(), desk().task()];
      const stores = [storeOf(one, { resultText: "1" }), storeOf(other), storeOf(one, { resultText: "2" })];
      expect(await desk().backend.store(stores)).toEqual(["stored", "stored", "superseded"]);
      expect(await desk().recordOf(one)).toMatchObject({ result: 1 });
    });

    test("of several clients at once is one of them", async () => {
      const id = desk().task();
      const replies = await Promise.all(
        Array.from({ length: 8 }, (_, number) =>
          desk()
            .client()
            .store([storeOf(id, { resultText: String(number), delivery: number + 1 })]),
        ),
      );
      const winner = replies.findIndex(([reply]) => reply === "stored");
      expect(replies.flat().filter((reply) => reply === "stored")).toHaveLength(1);
      expect(await desk().recordOf(id)).toMatchObject({ result: winner });
    });

    test("can be anything again once it is forgotten", async () => {
      const id = desk().task();
      await desk().backend.store([storeOf(id)]);
      await desk().backend.forget([id]);
      expect(await desk().backend.store([storeOf(id, { state: "FAILURE" })])).toEqual(["stored"]);
    });
  });

  describe("what a group consists of", () => {
    test("is read as it was saved, until it is forgotten", async () => {
      const [id, other] = [desk().task(), desk().task()];
      await desk().backend.saveGroup(id, '{"a":1}', 60_000);
      await desk().backend.saveGroup(other, "2", 60_000);
      expect(await desk().client().readGroup(id)).toBe('{"a":1}');
      await desk().backend.forgetGroup(id);
      expect(await desk().backend.readGroup(id)).toBeUndefined();
      expect(await desk().backend.readGroup(other)).toBe("2");
    });

    test("is gone when its time is over", async () => {
      const id = desk().task();
      await desk().backend.saveGroup(id, "1", 50);
      await eventually("end of the group", async () => (await desk().backend.readGroup(id)) === undefined);
    });

    test("is no record of a task with that id", async () => {
      const id = desk().task();
      await desk().backend.saveGroup(id, "1", 60_000);
      expect(await desk().recordOf(id)).toBeUndefined();
    });
  });

  test("what was opened can be closed in any state, more than once", async () => {
    const [unused, used, listening, beginning] = [desk().client(), desk().client(), desk().client(), desk().client()];
    await used.open();
    await listening.subscribe(() => undefined);
    const begun = beginning.subscribe(() => undefined).catch(() => undefined);
    await Promise.all([unused, used, listening, beginning].flatMap((each) => [each.close(), each.close()]));
    await begun;
    await expect(used.read([newId()])).rejects.toMatchObject({ code: "RESULT_BACKEND_UNAVAILABLE" });
  });
}

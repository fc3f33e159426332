import { newId } from "../id.js";
import type { TaskRecord } from "../protocol/record.js";
import { equal, matches, rejects } from "./assertions.js";
import { storeOf } from "./messages.js";
import type { Suite } from "./suite.js";

const stored: Readonly<Record<string, Omit<TaskRecord, "delivery">>> = {
  "a success with all that is known": {
    state: "SUCCESS",
    result: { sum: [1, 2.5, null, "€😀"] },
    task: "tasks.add",
    queue: "feeds",
    worker: "a",
    attempt: 3,
    startedAt: 1,
    endedAt: 2,
  },
  "a success without a result": { state: "SUCCESS" },
  "a success of null": { state: "SUCCESS", result: null },
  "a failure": {
    state: "FAILURE",
    failure: { name: "TypeError", message: "no", stack: "at", code: "E", cause: { name: "Error", message: "why" } },
  },
  "a revocation": { state: "REVOKED", reason: "expired" },
  "a custom state": { state: "LOADING", meta: { done: 3, of: 7 } },
  "a task whose turn is still to come": { state: "PENDING", flow: newId(), call: 3, task: "tasks.add", queue: "feeds" },
  "a task that was not run": { state: "FAILURE", failure: { name: "Error", message: "why" }, origin: { id: newId(), task: "tasks.add" } },
};

const terminal = ["SUCCESS", "FAILURE", "REVOKED"] as const;

export function describeRecords({ describe, test }: Suite): void {
  describe("a record", () => {
    for (const [name, { result, meta, ...facts }] of Object.entries(stored)) {
      test(`${name}: it is read as it was stored`, async (stage) => {
        const id = newId();
        const textOf = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value));
        equal(await stage.engine.results.store([storeOf(id, { ...facts, resultText: textOf(result), metaText: textOf(meta) })]), [
          "stored",
        ]);
        equal(await stage.other.results.read([id]), [{ delivery: 1, ...facts, result, meta }]);
      });
    }

    test("beside others and beside none: records are read in the order asked for", async (stage) => {
      const [one, none, two] = [newId(), newId(), newId()];
      await stage.engine.results.store([storeOf(two, { resultText: "2" }), storeOf(one, { resultText: "1" })]);
      const records = await stage.engine.results.read([one, none, two, one]);
      equal(
        records.map((record) => record?.result),
        [1, undefined, 2, 1],
      );
    });

    test("that is forgotten: it is gone, and only that one", async (stage) => {
      const [forgotten, kept] = [newId(), newId()];
      await stage.engine.results.store([storeOf(forgotten), storeOf(kept)]);
      await stage.engine.results.forget([forgotten, newId()]);
      equal(await stage.engine.results.read([forgotten, kept]), [undefined, { state: "SUCCESS", delivery: 1 }]);
      equal(await stage.engine.results.store([storeOf(forgotten, { state: "FAILURE" })]), ["stored"]);
    });

    test("whose time is over: it is gone, and another can be stored", async (stage) => {
      const [short, long] = [newId(), newId()];
      await stage.engine.results.store([storeOf(short, {}, { expires: 50 }), storeOf(long)]);
      await stage.eventually("end of the record", async () => (await stage.recordOf(short)) === undefined);
      matches(await stage.recordOf(long), { state: "SUCCESS" });
      equal(await stage.engine.results.store([storeOf(short, { state: "FAILURE" })]), ["stored"]);
    });

    test("none at all: nothing is stored, claimed or read", async (stage) => {
      const { results } = stage.engine;
      equal([await results.store([]), await results.claim([]), await results.read([])], [[], [], []]);
      await results.forget([]);
    });
  });

  describe("the first terminal state", () => {
    for (const first of terminal) {
      test(`${first}: it stays, whatever comes after it`, async (stage) => {
        for (const second of [...terminal, "STARTED", "RETRY", "LOADING"]) {
          const id = newId();
          await stage.engine.results.store([storeOf(id, { state: first })]);
          for (const delivery of [1, 2]) equal(await stage.other.results.store([storeOf(id, { state: second, delivery })]), ["superseded"]);
          equal(await stage.recordOf(id), { state: first, delivery: 1 });
        }
      });
    }

    test("after states that are none: it takes their place", async (stage) => {
      const id = newId();
      for (const state of ["PENDING", "STARTED", "LOADING", "RETRY", "STARTED"]) {
        equal(await stage.engine.results.store([storeOf(id, { state })]), ["stored"]);
        matches(await stage.recordOf(id), { state });
      }
      equal(await stage.engine.results.store([storeOf(id, { resultText: "3" })]), ["stored"]);
      equal(await stage.recordOf(id), { state: "SUCCESS", delivery: 1, result: 3 });
    });

    test("of several in one call: it is the first of them", async (stage) => {
      const [one, other] = [newId(), newId()];
      const stores = [storeOf(one, { resultText: "1" }), storeOf(other), storeOf(one, { resultText: "2" })];
      equal(await stage.engine.results.store(stores), ["stored", "stored", "superseded"]);
      matches(await stage.recordOf(one), { result: 1 });
    });

    test("of two engines at once: it is one of them", async (stage) => {
      const id = newId();
      const engines = [stage.engine, stage.other, stage.engine, stage.other];
      const stores = engines.map(({ results }, number) =>
        results.store([storeOf(id, { resultText: String(number), delivery: number + 1 })]),
      );
      const replies = (await Promise.all(stores)).flat();
      equal(replies.filter((reply) => reply === "stored").length, 1);
      matches(await stage.recordOf(id), { result: replies.indexOf("stored") });
    });
  });

  describe("what a group consists of", () => {
    test("that is saved: it is read until it is forgotten, and is no record of a task", async (stage) => {
      const [id, other] = [newId(), newId()];
      await stage.engine.results.saveGroup(id, '{"a":1}', 60_000);
      await stage.engine.results.saveGroup(other, "2", 60_000);
      equal(await stage.other.results.readGroup(id), '{"a":1}');
      equal(await stage.recordOf(id), undefined);
      await stage.engine.results.forgetGroup(id);
      equal([await stage.engine.results.readGroup(id), await stage.engine.results.readGroup(other)], [undefined, "2"]);
    });

    test("whose time is over: it is gone", async (stage) => {
      const id = newId();
      await stage.engine.results.saveGroup(id, "1", 50);
      await stage.eventually("end of the group", async () => (await stage.engine.results.readGroup(id)) === undefined);
    });
  });

  test("results of a closed engine: it can be closed again, and reads reject", async (stage) => {
    await stage.engine.results.subscribe(() => undefined);
    await Promise.all([stage.engine.close(), stage.engine.close()]);
    await rejects(stage.engine.results.read([newId()]), "RESULT_BACKEND_UNAVAILABLE");
  });
}

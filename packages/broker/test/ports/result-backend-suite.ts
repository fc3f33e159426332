import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newId } from "../../src/id.js";
import type { Claim, ResultBackend } from "../../src/ports/result-backend.js";
import type { TaskRecord } from "../../src/protocol/record.js";
import { storeOf } from "./messages.js";
import { eventually } from "./waiting.js";

/** The longest record that the backends under test send along with a notification, in bytes. */
export const largestNotified = 1000;

/** What every result backend has to do. `open` gives a client with connections of its own; all clients of a test share the records. */
export function describeResultBackend(name: string, open: () => ResultBackend): void {
  describe(`${name} as a result backend`, () => {
    let backend: ResultBackend;
    let clients: ResultBackend[];
    let ids: string[];

    beforeEach(() => {
      clients = [];
      ids = [];
      backend = client();
    });

    afterEach(async () => {
      await backend.forget(ids);
      await Promise.all(clients.map((each) => each.close()));
    });

    function client(): ResultBackend {
      const opened = open();
      clients.push(opened);
      return opened;
    }

    function task(): string {
      const id = newId();
      ids.push(id);
      return id;
    }

    const claimOf = (id: string, delivery: number): Claim => ({ id, delivery, expires: 60_000, worker: "worker-a" });
    const recordOf = async (id: string) => (await backend.read([id]))[0];

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
      ])("is read as it was stored: %j", async ({ result, ...facts }) => {
        const id = task();
        const store = storeOf(id, { ...facts, ...(result !== undefined && { resultText: JSON.stringify(result) }) });
        expect(await backend.store([store])).toEqual(["stored"]);
        expect(await client().read([id])).toEqual([{ delivery: 1, ...facts, ...(result !== undefined && { result }) }]);
      });

      test("is read beside others, and beside none, in the order asked for", async () => {
        const [one, none, two] = [task(), task(), task()];
        await backend.store([storeOf(two, { resultText: "2" }), storeOf(one, { resultText: "1" })]);
        const records = await backend.read([one, none, two, one]);
        expect(records.map((record) => record?.result)).toEqual([1, undefined, 2, 1]);
        expect(records[1]).toBeUndefined();
      });

      test("is gone once it is forgotten, and only that one", async () => {
        const [forgotten, kept] = [task(), task()];
        await backend.store([storeOf(forgotten), storeOf(kept)]);
        await backend.forget([forgotten, newId()]);
        expect(await backend.read([forgotten, kept])).toEqual([undefined, { state: "SUCCESS", delivery: 1 }]);
      });

      test("is gone when its time is over", async () => {
        const [short, long] = [task(), task()];
        await backend.store([storeOf(short, {}, { expires: 50 }), storeOf(long)]);
        await eventually("end of the record", async () => (await recordOf(short)) === undefined);
        expect(await recordOf(long)).toMatchObject({ state: "SUCCESS" });
      });

      test("of nothing needs no server", async () => {
        expect(await backend.store([])).toEqual([]);
        expect(await backend.claim([])).toEqual([]);
        expect(await backend.read([])).toEqual([]);
        await backend.forget([]);
      });
    });

    describe("the first terminal state", () => {
      const terminal = ["SUCCESS", "FAILURE", "REVOKED"] as const;

      test.each(terminal.flatMap((first) => [...terminal, "STARTED", "RETRY", "LOADING"].map((second) => [first, second] as const)))(
        "stays: %s, whatever comes after it: %s",
        async (first, second) => {
          const id = task();
          await backend.store([storeOf(id, { state: first })]);
          for (const delivery of [1, 2]) expect(await backend.store([storeOf(id, { state: second, delivery })])).toEqual(["superseded"]);
          expect(await recordOf(id)).toEqual({ state: first, delivery: 1 });
        },
      );

      test("replaces what came before it", async () => {
        const id = task();
        for (const state of ["PENDING", "STARTED", "LOADING", "RETRY", "STARTED"]) {
          expect(await backend.store([storeOf(id, { state })])).toEqual(["stored"]);
          expect(await recordOf(id)).toMatchObject({ state });
        }
        expect(await backend.store([storeOf(id, { resultText: "3" })])).toEqual(["stored"]);
        expect(await recordOf(id)).toEqual({ state: "SUCCESS", delivery: 1, result: 3 });
      });

      test("of several in one call is the first of them", async () => {
        const [one, other] = [task(), task()];
        const stores = [storeOf(one, { resultText: "1" }), storeOf(other), storeOf(one, { resultText: "2" })];
        expect(await backend.store(stores)).toEqual(["stored", "stored", "superseded"]);
        expect(await recordOf(one)).toMatchObject({ result: 1 });
      });

      test("of several clients at once is one of them", async () => {
        const id = task();
        const replies = await Promise.all(
          Array.from({ length: 8 }, (_, number) => client().store([storeOf(id, { resultText: String(number), delivery: number + 1 })])),
        );
        const winner = replies.findIndex(([reply]) => reply === "stored");
        expect(replies.flat().filter((reply) => reply === "stored")).toHaveLength(1);
        expect(await recordOf(id)).toMatchObject({ result: winner });
      });

      test("can be anything again once it is forgotten", async () => {
        const id = task();
        await backend.store([storeOf(id)]);
        await backend.forget([id]);
        expect(await backend.store([storeOf(id, { state: "FAILURE" })])).toEqual(["stored"]);
      });
    });

    describe("a claim", () => {
      test("keeps lower deliveries from storing anything, and no others", async () => {
        const id = task();
        expect(await backend.claim([claimOf(id, 3)])).toEqual(["claimed"]);
        expect(await recordOf(id)).toMatchObject({ state: "STARTED", delivery: 3, worker: "worker-a" });
        for (const state of ["SUCCESS", "STARTED", "LOADING"]) {
          for (const delivery of [1, 2]) expect(await backend.store([storeOf(id, { state, delivery })])).toEqual(["fenced"]);
        }
        expect(await recordOf(id)).toMatchObject({ state: "STARTED", delivery: 3 });
        expect(await backend.store([storeOf(id, { state: "LOADING", delivery: 3 })])).toEqual(["stored"]);
        expect(await backend.store([storeOf(id, { delivery: 2 })])).toEqual(["fenced"]);
        expect(await backend.store([storeOf(id, { delivery: 3, resultText: "3" })])).toEqual(["stored"]);
        expect(await recordOf(id)).toEqual({ state: "SUCCESS", delivery: 3, result: 3 });
      });

      test("is fenced by a later one, not by an earlier one or its own", async () => {
        const id = task();
        const claims = [2, 2, 1, 3, 2, 10, 9, 10].map((delivery) => claimOf(id, delivery));
        expect(await backend.claim(claims)).toEqual(["claimed", "claimed", "fenced", "claimed", "fenced", "claimed", "fenced", "claimed"]);
      });

      test("of a task that has ended gives its record, and changes nothing", async () => {
        const [ended, open, large] = [task(), task(), task()];
        const result = "x".repeat(50_000);
        await backend.store([storeOf(ended, { resultText: "3", queue: "feeds" }), storeOf(large, { resultText: JSON.stringify(result) })]);
        expect(await backend.claim([claimOf(ended, 2), claimOf(open, 2), claimOf(large, 5)])).toEqual([
          { state: "SUCCESS", delivery: 1, result: 3, queue: "feeds" },
          "claimed",
          { state: "SUCCESS", delivery: 1, result },
        ]);
        expect(await recordOf(ended)).toEqual({ state: "SUCCESS", delivery: 1, result: 3, queue: "feeds" });
      });

      test("takes over from a progress that was stored", async () => {
        const id = task();
        await backend.store([storeOf(id, { state: "LOADING", meta: { done: "a long way".repeat(100) } })]);
        expect(await backend.claim([claimOf(id, 2)])).toEqual(["claimed"]);
        expect(await backend.store([storeOf(id)])).toEqual(["fenced"]);
      });

      // Lua has no number type of its own: as text, "9" would come after "10".
      test("compares numbers, not text", async () => {
        const id = task();
        await backend.claim([claimOf(id, 10)]);
        expect(await backend.store([storeOf(id, { delivery: 9 })])).toEqual(["fenced"]);
        expect(await backend.store([storeOf(id, { delivery: 100 })])).toEqual(["stored"]);
      });

      test("is gone when its time is over", async () => {
        const id = task();
        await backend.claim([{ ...claimOf(id, 2), expires: 50 }]);
        await eventually("end of the claim", async () => (await recordOf(id)) === undefined);
        expect(await backend.store([storeOf(id)])).toEqual(["stored"]);
      });
    });

    describe("whatever a custom state is called, its claims and its end hold", () => {
      // Up to 64 capitals, digits and underscores.
      test.each(["L", "PROGRESS", "SUCCESSFUL", "REVOKED_2", "X".repeat(64)])("%j", async (state) => {
        const id = task();
        await backend.claim([claimOf(id, 3)]);
        expect(await backend.store([storeOf(id, { state, delivery: 3 })])).toEqual(["stored"]);
        expect(await recordOf(id)).toMatchObject({ state, delivery: 3 });
        expect(await backend.store([storeOf(id, { delivery: 2 })])).toEqual(["fenced"]);
        expect(await backend.claim([claimOf(id, 2)])).toEqual(["fenced"]);
        expect(await backend.store([storeOf(id, { delivery: 3 })])).toEqual(["stored"]);
      });
    });

    describe("a notification", () => {
      /** What a client hears from now on. */
      async function hearing(waiter: ResultBackend): Promise<{ heard: [string, TaskRecord | undefined][]; stop: () => void }> {
        const heard: [string, TaskRecord | undefined][] = [];
        return { heard, stop: await waiter.subscribe((id, record) => void heard.push([id, record])) };
      }

      test("brings the record of whatever is stored for the client, and of nothing else", async () => {
        const [waiter, other] = [client(), client()];
        expect(waiter.replyChannel).toBe(waiter.replyChannel);
        expect(waiter.replyChannel).not.toBe(other.replyChannel);
        const [mine, theirs] = [await hearing(waiter), await hearing(other)];
        const [silent, foreign, one, two] = [task(), task(), task(), task()];
        await backend.store([storeOf(silent), storeOf(foreign, {}, { replyTo: other.replyChannel })]);
        await backend.store([storeOf(one, { state: "STARTED" }, { replyTo: waiter.replyChannel })]);
        await backend.store([storeOf(two, { resultText: '"€😀"' }, { replyTo: waiter.replyChannel })]);
        await eventually("notification", () => mine.heard.length >= 2 && theirs.heard.length >= 1);
        expect(mine.heard).toEqual([
          [one, { state: "STARTED", delivery: 1 }],
          [two, { state: "SUCCESS", delivery: 1, result: "€😀" }],
        ]);
        expect(theirs.heard).toEqual([[foreign, { state: "SUCCESS", delivery: 1 }]]);
      });

      test("of what was refused does not come", async () => {
        const waiter = client();
        const { heard } = await hearing(waiter);
        const [ended, claimed, last] = [task(), task(), task()];
        const replyTo = waiter.replyChannel;
        await backend.store([storeOf(ended)]);
        await backend.claim([claimOf(claimed, 2)]);
        const replies = await backend.store([ended, claimed, last].map((id) => storeOf(id, {}, { replyTo })));
        expect(replies).toEqual(["superseded", "fenced", "stored"]);
        await eventually("notification", () => heard.length > 0);
        expect(heard.map(([id]) => id)).toEqual([last]);
      });

      test("comes without the record when that is large", async () => {
        const waiter = client();
        const { heard } = await hearing(waiter);
        const replyTo = waiter.replyChannel;
        const head = storeOf("", { resultText: '""' }).record.length;
        const texts = [0, 1, 100_000].map((more) => JSON.stringify("x".repeat(largestNotified - head + more)));
        const stored = texts.map((resultText) => storeOf(task(), { resultText }, { replyTo }));
        await backend.store(stored);
        await eventually("notifications", () => heard.length === 3);
        expect(heard.map(([id, record]) => [id, record !== undefined])).toEqual(stored.map(({ id }, index) => [id, index === 0]));
      });

      test("comes to each listener until it stops", async () => {
        const waiter = client();
        const [first, second] = await Promise.all([hearing(waiter), hearing(waiter)]);
        const replyTo = waiter.replyChannel;
        await backend.store([storeOf(task(), {}, { replyTo })]);
        await eventually("notifications", () => first.heard.length + second.heard.length === 2);
        first.stop();
        first.stop();
        await backend.store([storeOf(task(), {}, { replyTo })]);
        await eventually("notification", () => second.heard.length === 2);
        expect(first.heard).toHaveLength(1);
      });

      test("to nobody is no error", async () => {
        expect(await backend.store([storeOf(task(), {}, { replyTo: client().replyChannel })])).toEqual(["stored"]);
      });
    });

    test("what was opened can be closed in any state, more than once", async () => {
      const [unused, used, listening, beginning] = [client(), client(), client(), client()];
      await used.open();
      await listening.subscribe(() => undefined);
      const begun = beginning.subscribe(() => undefined).catch(() => undefined);
      await Promise.all([unused, used, listening, beginning].flatMap((each) => [each.close(), each.close()]));
      await begun;
      await expect(used.read([newId()])).rejects.toMatchObject({ code: "RESULT_BACKEND_UNAVAILABLE" });
    });
  });
}

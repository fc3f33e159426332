import { newId } from "../id.js";
import type { Claim } from "../ports/results.js";
import { equal, matches } from "./assertions.js";
import { storeOf } from "./messages.js";
import type { Suite } from "./suite.js";

/** A claim of `id` that holds for a minute. */
function claimOf(id: string, delivery: number): Claim {
  return { id, delivery, expires: 60_000, worker: "worker-a" };
}

export function describeClaims({ describe, test }: Suite): void {
  describe("a claim", () => {
    test("by a later delivery: lower ones store nothing but a success", async (stage) => {
      const { results } = stage.engine;
      const id = newId();
      equal(await results.claim([claimOf(id, 3)]), ["claimed"]);
      matches(await stage.recordOf(id), { state: "STARTED", delivery: 3, worker: "worker-a" });
      for (const state of ["FAILURE", "REVOKED", "RETRY", "STARTED", "LOADING"]) {
        for (const delivery of [1, 2]) equal(await results.store([storeOf(id, { state, delivery })]), ["fenced"]);
      }
      equal(await results.store([storeOf(id, { state: "LOADING", delivery: 3 })]), ["stored"]);
      equal(await results.store([storeOf(id, { state: "FAILURE", delivery: 2 })]), ["fenced"]);
      equal(await results.store([storeOf(id, { delivery: 3, resultText: "3" })]), ["stored"]);
      equal(await stage.recordOf(id), { state: "SUCCESS", delivery: 3, result: 3 });
    });

    test("and the success of a lower delivery: the success stands", async (stage) => {
      const { results } = stage.engine;
      const id = newId();
      await results.claim([claimOf(id, 3)]);
      equal(await results.store([storeOf(id, { delivery: 2, resultText: "2" })]), ["stored"]);
      equal(await results.store([storeOf(id, { delivery: 3, resultText: "3" })]), ["superseded"]);
      equal(await results.claim([claimOf(id, 4)]), [{ state: "SUCCESS", delivery: 2, result: 2 }]);
    });

    test("after another: a later one fences it, an earlier one or its own does not", async (stage) => {
      const id = newId();
      const replies = await stage.engine.results.claim([2, 2, 1, 3, 2, 10, 9, 10].map((delivery) => claimOf(id, delivery)));
      equal(replies, ["claimed", "claimed", "fenced", "claimed", "fenced", "claimed", "fenced", "claimed"]);
    });

    test("of a task that has ended: its record is returned, and nothing changes", async (stage) => {
      const [ended, open] = [newId(), newId()];
      await stage.engine.results.store([storeOf(ended, { resultText: "3", queue: "feeds" })]);
      const record = { state: "SUCCESS", delivery: 1, result: 3, queue: "feeds" };
      equal(await stage.engine.results.claim([claimOf(ended, 2), claimOf(open, 2)]), [record, "claimed"]);
      equal(await stage.recordOf(ended), record);
    });

    test("that is removed by its delivery: it is gone, unless something else stands there", async (stage) => {
      const { results } = stage.engine;
      const ids = [newId(), newId(), newId(), newId(), newId()];
      const [own, later, told, ended] = ids as [string, string, string, string, string];
      await results.claim([claimOf(own, 2), claimOf(later, 3), claimOf(told, 2), claimOf(ended, 2)]);
      await results.store([storeOf(told, { state: "LOADING", delivery: 2 }), storeOf(ended, { resultText: "1" })]);
      for (const id of ids) await results.unclaim(id, 2);
      equal(
        (await results.read(ids)).map((record) => record?.state),
        [undefined, "STARTED", "LOADING", "SUCCESS", undefined],
      );
    });

    for (const state of ["L", "SUCCESSFUL", "REVOKED_2", "X".repeat(64)]) {
      test(`of a task in the custom state ${state}: it holds, and so does the end of the task`, async (stage) => {
        const { results } = stage.engine;
        const id = newId();
        await results.claim([claimOf(id, 3)]);
        equal(await results.store([storeOf(id, { state, delivery: 3, metaText: '{"done":1}' })]), ["stored"]);
        matches(await stage.recordOf(id), { state, delivery: 3 });
        equal(await results.store([storeOf(id, { state: "FAILURE", delivery: 2 })]), ["fenced"]);
        equal(await results.claim([claimOf(id, 2), claimOf(id, 4)]), ["fenced", "claimed"]);
        equal(await results.store([storeOf(id, { delivery: 4 })]), ["stored"]);
      });
    }

    test("with why the attempt before failed: the record says it", async (stage) => {
      const id = newId();
      const failure = { name: "Error", message: "no luck" };
      await stage.engine.results.claim([{ ...claimOf(id, 2), failure }]);
      matches(await stage.recordOf(id), { state: "STARTED", failure });
    });

    test("whose time is over: it holds no more", async (stage) => {
      const id = newId();
      await stage.engine.results.claim([{ ...claimOf(id, 2), expires: 50 }]);
      await stage.eventually("end of the claim", async () => (await stage.recordOf(id)) === undefined);
      equal(await stage.engine.results.store([storeOf(id)]), ["stored"]);
    });
  });
}

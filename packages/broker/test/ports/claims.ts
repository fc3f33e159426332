import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { claimOf, type Desk } from "./desk.js";
import { storeOf } from "./messages.js";

export function describeClaims(desk: () => Desk): void {
  describe("a claim", () => {
    test("keeps lower deliveries from storing anything but a success, and no others", async () => {
      const id = desk().task();
      expect(await desk().backend.claim([claimOf(id, 3)])).toEqual(["claimed"]);
      expect(await desk().recordOf(id)).toMatchObject({ state: "STARTED", delivery: 3, worker: "worker-a" });
      for (const state of ["FAILURE", "REVOKED", "RETRY", "STARTED", "LOADING"]) {
        for (const delivery of [1, 2]) expect(await desk().backend.store([storeOf(id, { state, delivery })])).toEqual(["fenced"]);
      }
      expect(await desk().recordOf(id)).toMatchObject({ state: "STARTED", delivery: 3 });
      expect(await desk().backend.store([storeOf(id, { state: "LOADING", delivery: 3 })])).toEqual(["stored"]);
      expect(await desk().backend.store([storeOf(id, { state: "FAILURE", delivery: 2 })])).toEqual(["fenced"]);
      expect(await desk().backend.store([storeOf(id, { delivery: 3, resultText: "3" })])).toEqual(["stored"]);
      expect(await desk().recordOf(id)).toEqual({ state: "SUCCESS", delivery: 3, result: 3 });
    });

    test("gives way to the success of a lower delivery, which then stands", async () => {
      const id = desk().task();
      await desk().backend.claim([claimOf(id, 3)]);
      expect(await desk().backend.store([storeOf(id, { delivery: 2, resultText: "2" })])).toEqual(["stored"]);
      expect(await desk().backend.store([storeOf(id, { delivery: 3, resultText: "3" })])).toEqual(["superseded"]);
      expect(await desk().recordOf(id)).toEqual({ state: "SUCCESS", delivery: 2, result: 2 });
      expect(await desk().backend.claim([claimOf(id, 4)])).toMatchObject([{ state: "SUCCESS", delivery: 2 }]);
    });

    test("is fenced by a later one, not by an earlier one or its own", async () => {
      const id = desk().task();
      const claims = [2, 2, 1, 3, 2, 10, 9, 10].map((delivery) => claimOf(id, delivery));
      expect(await desk().backend.claim(claims)).toEqual([
        "claimed",
        "claimed",
        "fenced",
        "claimed",
        "fenced",
        "claimed",
        "fenced",
        "claimed",
      ]);
    });

    test("of a task that has ended gives its record, and changes nothing", async () => {
      const [ended, open, large] = [desk().task(), desk().task(), desk().task()];
      const result = "x".repeat(50_000);
      await desk().backend.store([
        storeOf(ended, { resultText: "3", queue: "feeds" }),
        storeOf(large, { resultText: JSON.stringify(result) }),
      ]);
      expect(await desk().backend.claim([claimOf(ended, 2), claimOf(open, 2), claimOf(large, 5)])).toEqual([
        { state: "SUCCESS", delivery: 1, result: 3, queue: "feeds" },
        "claimed",
        { state: "SUCCESS", delivery: 1, result },
      ]);
      expect(await desk().recordOf(ended)).toEqual({ state: "SUCCESS", delivery: 1, result: 3, queue: "feeds" });
    });

    test("is removed by its own delivery, and not once something else stands there", async () => {
      const [own, later, told, ended, none] = [desk().task(), desk().task(), desk().task(), desk().task(), desk().task()];
      await desk().backend.claim([claimOf(own, 2), claimOf(later, 3), claimOf(told, 2), claimOf(ended, 2)]);
      await desk().backend.store([storeOf(told, { state: "LOADING", delivery: 2 }), storeOf(ended, { resultText: "1" })]);
      for (const id of [own, later, told, ended, none]) await desk().backend.unclaim(id, 2);
      const states = await desk().backend.read([own, later, told, ended, none]);
      expect(states.map((record) => record?.state)).toEqual([undefined, "STARTED", "LOADING", "SUCCESS", undefined]);
    });

    test("takes over from a progress that was stored", async () => {
      const id = desk().task();
      await desk().backend.store([storeOf(id, { state: "LOADING", metaText: JSON.stringify({ done: "a long way".repeat(100) }) })]);
      expect(await desk().backend.claim([claimOf(id, 2)])).toEqual(["claimed"]);
      expect(await desk().backend.store([storeOf(id, { state: "FAILURE" })])).toEqual(["fenced"]);
    });

    // Lua has no number type of its own: as text, "9" would come after "10".
    test("compares numbers, not text", async () => {
      const id = desk().task();
      await desk().backend.claim([claimOf(id, 10)]);
      expect(await desk().backend.store([storeOf(id, { state: "FAILURE", delivery: 9 })])).toEqual(["fenced"]);
      expect(await desk().backend.store([storeOf(id, { delivery: 100 })])).toEqual(["stored"]);
    });

    test("is gone when its time is over", async () => {
      const id = desk().task();
      await desk().backend.claim([{ ...claimOf(id, 2), expires: 50 }]);
      await eventually("end of the claim", async () => (await desk().recordOf(id)) === undefined);
      expect(await desk().backend.store([storeOf(id)])).toEqual(["stored"]);
    });
  });

  describe("whatever a custom state is called, its claims and its end hold", () => {
    // Up to 64 capitals, digits and underscores.
    test.each(["L", "PROGRESS", "SUCCESSFUL", "REVOKED_2", "X".repeat(64)])("%j", async (state) => {
      const id = desk().task();
      await desk().backend.claim([claimOf(id, 3)]);
      expect(await desk().backend.store([storeOf(id, { state, delivery: 3 })])).toEqual(["stored"]);
      expect(await desk().recordOf(id)).toMatchObject({ state, delivery: 3 });
      expect(await desk().backend.store([storeOf(id, { state: "FAILURE", delivery: 2 })])).toEqual(["fenced"]);
      expect(await desk().backend.claim([claimOf(id, 2)])).toEqual(["fenced"]);
      expect(await desk().backend.store([storeOf(id, { delivery: 3 })])).toEqual(["stored"]);
    });
  });
}

import { describe, expect, test } from "vitest";
import { SettlementReplies } from "../../src/bullmq/settlement-replies.js";
import type { Delivery } from "../../src/ports/delivery.js";
import type { Settlement } from "../../src/ports/settlement.js";

function settlementOf(id: string, type: Delivery["content"]["type"] = "message"): Settlement {
  return { delivery: { id, content: { type } } as Delivery, outcome: { type: "succeeded" } };
}

const [a, b, c] = [settlementOf("a"), settlementOf("b"), settlementOf("c")];
const settle = [a, b, c];

/** The replies to `settle`, which the script got in the order c, a, b. */
function repliesOf(wrong: readonly (number | string)[], repeated = false, current = (settlement: Settlement) => settlement) {
  return new SettlementReplies(wrong, { settle, sent: [c, a, b], repeated, current });
}

describe("replies of settlements", () => {
  test("none is named: all are settled, and nothing was refused", () => {
    expect(repliesOf([]).result()).toEqual({ settled: ["settled", "settled", "settled"] });
  });

  test("one was refused and one is lost: each has its own, in the order in which they were given", () => {
    const replies = repliesOf([2, "WRONGTYPE of a key", 3, 0]);
    expect(replies.result()).toEqual({
      settled: ["again", "lost", "settled"],
      refusals: [{ code: "wrong-type", reason: "WRONGTYPE of a key" }, undefined, undefined],
    });
    expect(replies.lost).toEqual([b]);
  });

  test("a lease is lost in a repeated call: an earlier try has settled it", () => {
    expect(repliesOf([3, 0], true).result().settled).toEqual(["settled", "settled", "settled"]);
  });

  test("the script got another settlement in its place: the reply is for the given one", () => {
    const instead = settlementOf("b");
    const replies = new SettlementReplies([1, "ERR no"], {
      settle: [b],
      sent: [instead],
      repeated: false,
      current: (settlement) => (settlement === b ? instead : settlement),
    });
    expect(replies.result()).toMatchObject({ settled: ["again"], refusals: [{ code: "other" }] });
  });

  test("some were repeated in a call of their own: what that call says counts", () => {
    const replies = repliesOf([2, "ERR no", 3, 0]);
    replies.repeated([b], { settled: ["again"], refusals: [{ code: "busy", reason: "BUSY" }] });
    replies.repeated([a], { settled: ["settled"] });
    expect(replies.result()).toMatchObject({
      settled: ["settled", "again", "settled"],
      refusals: [{ code: "other" }, { code: "busy" }, undefined],
    });
    expect(replies.lost).toEqual([]);
  });

  test("refusals that are no fault of what was settled are told apart", () => {
    const foreign = settlementOf("d", "external");
    const replies = new SettlementReplies(
      [1, "NOPERM No permissions to access a key", 2, "NOPERM No permissions to access a key", 3, "ERR no"],
      {
        settle: [a, foreign, c],
        sent: [a, foreign, c],
        repeated: false,
        current: (settlement) => settlement,
      },
    );
    expect(replies.refusedElsewhere).toEqual([{ code: "key-denied", reason: "NOPERM No permissions to access a key" }]);
  });
});

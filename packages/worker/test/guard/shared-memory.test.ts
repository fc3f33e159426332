import { describe, expect, test } from "vitest";
import { HeldRows, readRows } from "../../src/guard/held-rows.js";
import { memoryOf, row, rowsPerBlock, take } from "../../src/guard/shared.js";
import { handBack, takeSlots } from "../../src/guard/take-slots.js";

function table() {
  const blocks: SharedArrayBuffer[] = [];
  const rows = new HeldRows((block) => blocks.push(block));
  return { rows, blocks, read: () => blocks.flatMap((block, index) => readRows(memoryOf(block), index * rowsPerBlock)) };
}

const held = { queue: 2, task: 5, id: "b9a0c1f2-8a3e-4f0d-9d9b-1f6a3f7f1a11", token: "abc:1:0:7", heldAt: 1234.5 };

describe("rows of deliveries", () => {
  test("are read as they were written, and are gone once released", () => {
    const { rows, read } = table();
    const first = rows.hold(held);
    const second = rows.hold({ ...held, id: "repeat:Zürich:€:1", token: "t" });
    rows.limit(first, 1000, 250);
    rows.begin(second, true);
    expect(read()).toEqual([
      { ...held, number: 0, begun: false, once: false, begunAt: 1000, limit: 250 },
      { ...held, number: 1, id: "repeat:Zürich:€:1", token: "t", begun: true, once: true, begunAt: 0, limit: 0 },
    ]);
    rows.release(first);
    expect(read().map(({ id }) => id)).toEqual(["repeat:Zürich:€:1"]);
  });

  test("say nothing of the delivery that had the row before", () => {
    const { rows, read } = table();
    const first = rows.hold(held);
    rows.limit(first, 1000, 250);
    rows.begin(first, true);
    rows.release(first);
    rows.hold({ ...held, id: "short" });
    expect(read()).toMatchObject([{ id: "short", token: held.token, begun: false, once: false, limit: 0 }]);
  });

  test("grow by further pieces of memory, and are used again", () => {
    const { rows, blocks, read } = table();
    const numbers = Array.from({ length: rowsPerBlock + 1 }, (_, index) => rows.hold({ ...held, id: `id-${index}` }));
    expect(blocks).toHaveLength(2);
    expect(new Set(read().map(({ id }) => id)).size).toBe(rowsPerBlock + 1);
    for (const number of numbers) rows.release(number);
    for (const _ of numbers) rows.hold(held);
    expect(blocks).toHaveLength(2);
  });

  test("are not written for an id that does not fit, and their place is free", () => {
    const { rows, read } = table();
    expect(rows.hold({ ...held, id: "x".repeat(row.size) })).toBe(-1);
    expect(read()).toEqual([]);
    expect(rows.hold(held)).toBe(0);
  });
});

describe("calls that take messages", () => {
  const memory = () => memoryOf(new SharedArrayBuffer(take.size * take.slots));

  test("keep what they took when their replies were read first", () => {
    const shared = memory();
    const slots = takeSlots(shared);
    const call = slots.begun("abc:1:0");
    expect(slots.ended(call)).toBe(true);
    expect(handBack(shared)).toEqual([]);
  });

  test("lose what they took when the guard was first, each for itself", () => {
    const shared = memory();
    const slots = takeSlots(shared);
    const [read, first, second] = ["abc:0:0", "abc:1:0", "abc:12:1"].map((token) => slots.begun(token));
    slots.ended(read!);
    expect(handBack(shared)).toEqual(["abc:1:0", "abc:12:1"]);
    // Until their replies are read: Redis may come to them later.
    expect(handBack(shared)).toEqual(["abc:1:0", "abc:12:1"]);
    const next = slots.begun("abc:2:0");
    expect([first, second, next].map((call) => slots.ended(call!))).toEqual([false, false, true]);
  });

  test("are not watched when there are too many", () => {
    const slots = takeSlots(memory());
    const calls = Array.from({ length: take.slots + 1 }, (_, index) => slots.begun(`abc:${index}:0`));
    expect(calls.map((call) => slots.ended(call))).toEqual(calls.map(() => true));
  });
});

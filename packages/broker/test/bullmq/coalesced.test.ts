import { expect, test } from "vitest";
import { coalesced } from "../../src/bullmq/coalesced.js";

/** What was sent so far, and the way to send. */
function opened(most: number) {
  const sent: (readonly number[])[] = [];
  return { sent, send: coalesced<number>(most, (items) => void sent.push(items)) };
}

const nextTick = () => new Promise<void>((resolve) => process.nextTick(resolve));

test("the items of one tick go out together, in their order, in lots of the most that may be", async () => {
  const { sent, send } = opened(3);
  for (let item = 1; item <= 7; item++) send(item);
  expect(sent).toEqual([]);
  await nextTick();
  expect(sent).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
});

test("an item on its own goes out before the event loop does anything else", async () => {
  const { sent, send } = opened(3);
  const order: string[] = [];
  setImmediate(() => order.push(`immediate, after ${sent.length}`));
  send(1);
  await nextTick();
  expect(order).toEqual([]);
  expect(sent).toEqual([[1]]);
  send(2);
  await nextTick();
  expect(sent).toEqual([[1], [2]]);
});

import { expect, test } from "vitest";
import { coalesced } from "../../src/bullmq/coalesced.js";

/** What was sent so far, and the way to send. */
function opened(most: number) {
  const sent: (readonly number[])[] = [];
  return { sent, send: coalesced<number>(most, (items) => void sent.push(items)) };
}

const nextTick = () => new Promise<void>((resolve) => process.nextTick(resolve));

test("the items of one tick go out together, in their order, a full lot at once", async () => {
  const { sent, send } = opened(3);
  for (const item of [1, 2]) send(item);
  expect(sent).toEqual([]);
  for (const item of [3, 4, 5, 6, 7]) send(item);
  expect(sent).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  await nextTick();
  expect(sent).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  await nextTick();
  expect(sent).toHaveLength(3);
});

test("each item is a lot when no more may go together", async () => {
  const { sent, send } = opened(1);
  for (const item of [1, 2]) send(item);
  await nextTick();
  expect(sent).toEqual([[1], [2]]);
});

test("an item on its own goes out before the event loop does anything else", async () => {
  const { sent, send } = opened(3);
  const seen = new Promise<unknown>((resolve) => setImmediate(() => resolve([...sent])));
  send(1);
  expect(sent).toEqual([]);
  expect(await seen).toEqual([[1]]);
  send(2);
  await nextTick();
  expect(sent).toEqual([[1], [2]]);
});

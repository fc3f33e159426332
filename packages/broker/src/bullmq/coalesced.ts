/** One item on its way, with what waits for its reply. */
interface Waiting<Item, Reply> {
  readonly item: Item;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * `send`, for one item at a time: the calls of one tick go out together, at most `most` in one. A call on its own is not held back: it goes out before the event loop does anything else.
 */
export function coalesced<Item, Reply>(
  most: number,
  send: (items: readonly Item[]) => Promise<readonly Reply[]>,
): (item: Item) => Promise<Reply> {
  let waiting: Waiting<Item, Reply>[] = [];

  async function flush(batch: readonly Waiting<Item, Reply>[]): Promise<void> {
    try {
      const replies = await send(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => resolve(replies[index] as Reply));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  function flushAll(): void {
    const all = waiting;
    waiting = [];
    for (let start = 0; start < all.length; start += most) void flush(all.slice(start, start + most));
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ item, resolve, reject }) === 1) process.nextTick(flushAll);
    });
}

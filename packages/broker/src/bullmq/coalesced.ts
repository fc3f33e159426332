/**
 * Gathers items: those of one tick go out together, `most` at a time, in their order. An item on
 * its own is not held back: it goes out before the event loop does anything else.
 */
export function coalesced<Item>(max: number, send: (items: readonly Item[]) => void): (item: Item) => void {
  let waiting: Item[] = [];

  function flush(): void {
    if (waiting.length === 0) return;
    const items = waiting;
    waiting = [];
    send(items);
  }

  return (item) => {
    waiting.push(item);
    // A full batch at once: Redis works on it while the next one is made.
    if (waiting.length === max) flush();
    else if (waiting.length === 1) process.nextTick(flush);
  };
}

/**
 * Gathers items: those of one tick go out together, at most `most` at a time, in their order. An item on its own is not held back: it goes
 * out before the event loop does anything else.
 */
export function coalesced<Item>(most: number, send: (items: readonly Item[]) => void): (item: Item) => void {
  let waiting: Item[] = [];

  function flush(): void {
    const all = waiting;
    waiting = [];
    if (all.length <= most) send(all);
    else for (let start = 0; start < all.length; start += most) send(all.slice(start, start + most));
  }

  return (item) => {
    if (waiting.push(item) === 1) process.nextTick(flush);
  };
}

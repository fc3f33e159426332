import type { CallData, CanvasData, GroupData } from "../../src/canvas/canvas.js";

/** Numbers from 0 to 1 that look random, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * A canvas of at most `depth` levels, of the tasks `list`, which gives its arguments, and `fail`.
 */
export function randomCanvas(random: () => number, depth: number): CanvasData {
  const pick = (most: number) => Math.floor(random() * most);
  const some = (least: number, most: number) =>
    Array.from({ length: least + pick(most - least + 1) }, () => randomCanvas(random, depth - 1));
  const groupOf = (): GroupData => ({ type: "group", members: some(0, 3) });
  const links = (): readonly CanvasData[] => (depth > 0 && random() < 0.15 ? some(1, 2) : []);
  const call = (): CallData => {
    const [link, onError] = [links(), links()];
    const lists = random() < 0.1 ? [[pick(9)], [], [pick(9), pick(9)]] : undefined;
    return {
      type: "call",
      task: random() < 0.1 ? "fail" : "list",
      args: lists ?? Array.from({ length: pick(3) }, () => pick(100)),
      ...((lists !== undefined || random() < 0.25) && { immutable: true }),
      ...(lists !== undefined && { each: true }),
      ...(link.length > 0 && { link }),
      ...(onError.length > 0 && { onError }),
    };
  };
  const chainOf = (steps: readonly CanvasData[], onError: readonly CanvasData[]): CanvasData =>
    onError.length > 0 ? { type: "chain", steps, onError } : { type: "chain", steps };
  if (depth === 0) return call();
  switch (pick(5)) {
    case 0:
      return call();
    case 1:
      return groupOf();
    case 2:
      return { type: "chord", header: groupOf(), body: randomCanvas(random, depth - 1), onFailure: random() < 0.5 ? "fail" : "partial" };
    default:
      return chainOf(some(1, 4), links());
  }
}

import type { Target } from "@bullrush/broker";

/** From how many calls in a row on one target says all of them. */
const shortest = 3;

/**
 * The same targets, in the same order, with each run of calls that begin one after the other as one: for those of a large group, which many
 * messages name.
 */
export function inRanges(targets: readonly Target[]): readonly Target[] {
  const ranges: Target[] = [];
  for (let at = 0; at < targets.length;) {
    const length = runFrom(targets, at);
    const [, first] = targets[at] as Target;
    if (length >= shortest) ranges.push(["steps", first, first + length - 1]);
    else ranges.push(...targets.slice(at, at + length));
    at += length;
  }
  return ranges;
}

/** How many targets from `at` on are calls with numbers in a row; 1 at least. */
function runFrom(targets: readonly Target[], at: number): number {
  const [kind, first] = targets[at] as Target;
  const follows = (target: Target | undefined, length: number) => kind === "step" && target?.[0] === "step" && target[1] === first + length;
  let length = 1;
  while (follows(targets[at + length], length)) length++;
  return length;
}

import type { Target } from "@bullrush/broker";

/** Minimum number of consecutive calls that become one range. */
const shortest = 3;

/**
 * Returns the same targets, in order, with each run of consecutive calls as one range: many
 * messages name the targets of a large group.
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

/** How many targets from `at` on are calls with consecutive numbers; at least 1. */
function runFrom(targets: readonly Target[], at: number): number {
  const [kind, first] = targets[at] as Target;
  const follows = (target: Target | undefined, length: number) => kind === "step" && target?.[0] === "step" && target[1] === first + length;
  let length = 1;
  while (follows(targets[at + length], length)) length++;
  return length;
}

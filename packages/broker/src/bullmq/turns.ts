/** Something with a weight; 1 when it has none. */
interface Weighted {
  readonly weight?: number;
}

/**
 * One round of turns, as indexes of `entries`: each as often as its weight says, spread evenly (smooth weighted round-robin, as nginx does it). With
 * weights 3 and 1: 0 0 1 0.
 */
export function oneRound(entries: readonly Weighted[]): readonly number[] {
  const weights = entries.map(({ weight = 1 }) => weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const credits = weights.map(() => 0);
  return Array.from({ length: total }, () => {
    weights.forEach((weight, index) => (credits[index] = (credits[index] ?? 0) + weight));
    const next = credits.indexOf(Math.max(...credits));
    credits[next] = (credits[next] ?? 0) - total;
    return next;
  });
}

/** `round`, begun at position `start` of its endless repetition. */
export function from<T>(round: readonly T[], start: number): readonly T[] {
  const at = round.length === 0 ? 0 : start % round.length;
  return at === 0 ? round : [...round.slice(at), ...round.slice(0, at)];
}

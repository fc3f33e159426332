import type { Flow, Target } from "@bullrush/broker";
import { joined, perform, type Ending, type Functions } from "./evaluate.js";

/**
 * An ending, and where it is a failure the call that failed, and the joins before whose groups it
 * stands. Of a join that failed, none.
 */
type Told = Ending & { readonly before?: ReadonlySet<number>; readonly by?: number };

/**
 * Runs a flow in memory as the broker and its workers do, and gives how each of its calls ended, by
 * their ids; those that were dropped did not.
 */
export function interpret({ calls, joins, entries }: Flow, functions: Functions): ReadonlyMap<string, Ending> {
  const endings = new Map<string, Ending>();
  const slots = joins.map((): Told[] => []);
  /** The calls that a target stands for, one by one. */
  const single = (target: Target): readonly Target[] => {
    const [kind, first, last = first] = target;
    return kind === "steps" ? Array.from({ length: last - first + 1 }, (_, index) => ["step", first + index] as const) : [target];
  };
  const work: (readonly [Target, Told | undefined])[] = entries.flatMap(single).map((target) => [target, undefined]);
  const goOn = (targets: readonly Target[], ending: Told) =>
    work.push(...targets.flatMap(single).map((target) => [target, ending] as const));

  const arrive = (target: Target, ending: Told | undefined) => {
    const [kind, place, slot] = target;
    const failed = ending !== undefined && "failureInfo" in ending;
    if (kind === "slot" || kind === "open") {
      const join = joins[place]!;
      const filled = slots[place]!;
      if (kind === "slot") filled[slot!] = ending!;
      if (Object.keys(filled).length < join.size) return;
      const stands = kind === "open" ? failed : filled.every((told) => told.before?.has(place));
      goOn(join.next, stands ? ending! : joined(filled, join.onFailure));
      return;
    }
    if (ending !== undefined && (kind === "link" ? failed : kind === "error" && !concerns(target, ending))) return;
    const { message, takesValue, startsMembersOf = [] } = calls[place]!;
    const value = ending && ("failureInfo" in ending ? ending.failureInfo : ending.value);
    const args = takesValue && ending !== undefined ? [value, ...message.args] : message.args;
    const own: Told =
      kind === "step" && failed
        ? { by: place, ...ending, before: new Set([...(ending.before ?? []), ...startsMembersOf]) }
        : { ...perform(functions, message.task, args, message.each === true), by: place };
    if (endings.has(message.id)) throw new Error(`${message.task} would run twice`);
    endings.set(message.id, own);
    goOn(message.positions![0]!.next, own);
  };

  for (let next = work.shift(); next !== undefined; next = work.shift()) arrive(...next);
  return endings;
}

/** Whether an error link is called with this. */
function concerns([, , first, last]: Target, ending: Told): boolean {
  return (
    "failureInfo" in ending &&
    ending.by !== undefined &&
    first !== undefined &&
    last !== undefined &&
    first <= ending.by &&
    ending.by <= last
  );
}

import { callId } from "../../protocol/id.js";
import { checkEditable, encodeMessage, firstArgumentByte } from "../../protocol/envelope.js";
import type { Flow, FlowCall } from "../../protocol/flow.js";
import type { TaskRef, FlowPosition } from "../../protocol/flow-position.js";
import type { Argument } from "../../redis/script.js";

/** What was known of a call when it was sent. */
export interface DescribedCall {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly positions: readonly FlowPosition[];
  readonly replaces?: readonly TaskRef[];
}

/** The layout of flows that this release writes, and the only one that it reads: `StoredFlow.layout` of the scripts. */
export const flowLayout = 2;

/** Fields of the hash that say what holds for the whole flow, in the terms of `lua/bullmq/flow/stored-flow.lua`. */
export function headOf({ id, calls, joins, replyTo = "", expires, maxPayload }: Flow): readonly Argument[] {
  const queues = [...new Set(calls.map(({ queue }) => queue))];
  const customIds = calls.flatMap(({ message }, number) => (message.id === callId(id, number) ? [] : [[number, message.id] as const]));
  const head: Readonly<Record<string, Argument>> = {
    layout: flowLayout,
    remaining: calls.length,
    calls: calls.length,
    maxBytes: maxPayload,
    expires,
    replyTo,
    queues: JSON.stringify(queues),
    customIds: JSON.stringify(Object.fromEntries(customIds)),
    callGroups: JSON.stringify(callGroupsOf(calls)),
    links: JSON.stringify(calls.flatMap(({ isLink }, number) => (isLink ? [number] : []))),
  };
  const waiting = joins.flatMap(({ onFailure, ...join }, number) => [
    `j${number}`,
    JSON.stringify({ ...join, partial: onFailure === "partial" }),
  ]);
  return [...Object.entries(head).flat(), ...waiting];
}

/** The calls, each as the field and the value under which it waits for its turn. */
export function fieldsOf({ calls }: Flow): readonly (readonly [field: string, value: string])[] {
  return calls.map((call, number) => {
    const text = call.text ?? encodeMessage(call.message);
    checkEditable(text);
    return [`c${number}`, `${JSON.stringify(callHead(call))}\n${text}`];
  });
}

/** What the scripts have to know of a call. */
export function callHead({ queue, message, takesValue, countdown, lifetime, startsMembersOf }: FlowCall): object {
  const { id, task, priority, eta, resent, positions, replaces } = message;
  return {
    queue,
    id,
    task,
    priority,
    takesValue,
    from: firstArgumentByte,
    countdown,
    lifetime,
    eta,
    resent,
    positions,
    replaces,
    startsMembersOf,
  };
}

/** What is known of the calls from `first` to `last`: their values go to the next slot of a join for each further one, or all is the same. */
export type CallGroup = readonly [first: number, last: number, known: Omit<DescribedCall, "id">];

/** What is known of all calls, in short: the members of a group, which differ in their slots alone, are one. */
function callGroupsOf(calls: readonly FlowCall[]): readonly CallGroup[] {
  const callGroups: [number, number, Omit<DescribedCall, "id">][] = [];
  calls.forEach(({ queue, message: { task, positions = [], replaces } }, call) => {
    const known = { task, queue, positions, ...(replaces !== undefined && { replaces }) };
    const last = callGroups.at(-1);
    if (last !== undefined && continues(last, known)) last[1] = call;
    else callGroups.push([call, call, known]);
  });
  return callGroups;
}

function continues([first, last, known]: CallGroup, next: Omit<DescribedCall, "id">): boolean {
  const target = slotOf(known.positions);
  const other = slotOf(next.positions);
  if (target === undefined || other === undefined || known.task !== next.task || known.queue !== next.queue) return false;
  return next.replaces === undefined && other.join === target.join && other.slot === target.slot + last + 1 - first;
}

/** The slot to which a call's value goes, if it goes nowhere else. */
function slotOf([position, ...others]: readonly FlowPosition[]): { readonly join: number; readonly slot: number } | undefined {
  const [target, ...further] = position?.next ?? [];
  if (others.length > 0 || further.length > 0 || target?.[0] !== "slot") return undefined;
  return { join: target[1], slot: target[2] };
}

/** What the groups of its calls tell of a call. */
export function describeCall(flow: string, id: string, call: number, callGroups: readonly CallGroup[]): DescribedCall | undefined {
  const group = callGroupOf(call, callGroups);
  if (group === undefined) return undefined;
  const [first, , known] = group;
  const target = slotOf(known.positions);
  if (target === undefined) return { ...known, id };
  return { ...known, id, positions: [{ flow, call, next: [["slot", target.join, target.slot + call - first]] }] };
}

/** The one with `call` in it, of many in the order of their calls. */
function callGroupOf(call: number, callGroups: readonly CallGroup[]): CallGroup | undefined {
  let [low, high] = [0, callGroups.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((callGroups[middle] as CallGroup)[1] < call) low = middle + 1;
    else high = middle;
  }
  const group = callGroups[low];
  return group !== undefined && group[0] <= call ? group : undefined;
}

/** Most that is kept in one call, so that none holds Redis for long: arguments, characters. */
const max = { fields: 1000, characters: 512 * 1024 };

/** Fields in batches that are stored in one call each; at least one batch. */
export function batchesOf(fields: readonly (readonly [string, string])[]): Argument[][] {
  const batches: Argument[][] = [];
  let batch: Argument[] = [];
  let characters = 0;
  for (const [field, value] of fields) {
    if (batch.length > 0 && (batch.length >= max.fields || characters + value.length > max.characters)) {
      batches.push(batch);
      batch = [];
      characters = 0;
    }
    batch.push(field, value);
    characters += value.length;
  }
  batches.push(batch);
  return batches;
}

import type { FlowCall } from "@bullrush/broker";

/** The calls of a flow, each followed by its copies for further queues. */
export function partsOf(calls: readonly FlowCall[]): readonly (readonly [FlowCall, ...FlowCall[]])[] {
  const parts: [FlowCall, ...FlowCall[]][] = [];
  for (const call of calls) {
    const last = parts.at(-1);
    if (last !== undefined && call.message.headers.fanoutOf === last[0].message.id) last.push(call);
    else parts.push([call]);
  }
  return parts;
}

import { recordsFor } from "../../bullmq/flows/cascade.js";
import { endingOf } from "../../bullmq/flows/endings.js";
import { outcomeOfRecord, stateOfOutcome } from "../../protocol/outcome.js";
import { encodeRecord } from "../../protocol/record.js";
import { flowEndingOf } from "./flow-ending.js";
import { FlowStep, type FlowParts } from "./flow-step.js";
import type { RunningCall, RunningFlow } from "./running-flow.js";

const removed = { type: "revoked", reason: "its message was removed from its queue" } as const;

/**
 * Goes on with flows that have made no progress for `stale` ms, where a message is gone or waits
 * revoked. Returns how many there were.
 */
export function repairFlows(parts: FlowParts, stale: number): number {
  const found = parts.flows.stale(parts.time.now() - stale);
  return found.filter((flow) => repair(parts, flow)).length;
}

function repair(parts: FlowParts, flow: RunningFlow): boolean {
  // Whoever asks soon does not get it again.
  flow.movedAt = parts.time.now();
  const gone = flow.calls.filter((call) => call.state === "sent" && !call.hasEnded && isGone(parts, call));
  for (const call of gone) goOn(parts, flow, call);
  return gone.length > 0;
}

/** Neither on loan nor waiting to run. */
function isGone({ queues }: FlowParts, { queue, message }: RunningCall): boolean {
  const held = queues.find(queue)?.find(message.id);
  if (held === undefined || held.place === "ended") return true;
  return held.revoked !== undefined && held.place !== "taken";
}

function goOn(parts: FlowParts, { expires, replyTo }: RunningFlow, { queue, message }: RunningCall): void {
  const { results, time } = parts;
  const record = results.read(message.id);
  const outcome = (record && outcomeOfRecord(record)) ?? removed;
  const ending = endingOf(message, outcome);
  const flowEnding = ending && flowEndingOf(ending);
  if (flowEnding === undefined) return;
  // The tasks that it stands for wait as well, whatever is stored of itself.
  const recordOf = (task: string) => encodeRecord({ ...stateOfOutcome(outcome), delivery: 0, task, queue, endedAt: time.now() });
  for (const request of recordsFor(message, recordOf, { expires, replyTo })) results.store(request);
  const step = new FlowStep(parts);
  step.leave(message.positions ?? [], flowEnding);
  step.run();
}

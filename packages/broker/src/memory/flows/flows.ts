import { isSaid, type Placed } from "../../bullmq/flows/flow-facts.js";
import type { Added, FlowRevocation, Flows, Standing } from "../../ports/flows.js";
import { encodeMessage } from "../../protocol/envelope.js";
import type { Flow, FlowAddition } from "../../protocol/flow.js";
import type { FlowPosition } from "../../protocol/flow-position.js";
import type { Access } from "../access.js";
import { FlowStep, type FlowParts } from "./flow-step.js";
import { runningCall, RunningFlow } from "./running-flow.js";
import { sendCall } from "./send-call.js";

/** The running canvases of a space. */
export function memoryFlows(parts: FlowParts, access: Access): Flows {
  return {
    begin: (flow) => access.broker(`flow ${flow.id} was not confirmed`, () => beginFlow(parts, flow)),
    addMember: (addition) =>
      access.broker(`a member that was added to flow ${addition.flow} was not confirmed`, () => addMember(parts, addition)),
    revoke: (flow, calls) => access.broker(`flow ${flow} was not revoked`, () => callOff(parts, flow, calls)),
    standings: (messages) => access.broker("flows were not read", () => messages.map((one) => standingOf(parts, one))),
  };
}

/** Begins a flow, unless one with its id runs. */
function beginFlow(parts: FlowParts, flow: Flow): void {
  if (parts.flows.find(flow.id) !== undefined) return;
  const running = new RunningFlow(flow, parts.time.now());
  parts.flows.add(running);
  const step = new FlowStep(parts);
  step.follow(running, flow.entries, { kind: "starts" });
  step.run();
}

function addMember({ flows, queues, time }: FlowParts, { flow: id, by, join: joinNumber, queue, message }: FlowAddition): Added {
  const flow = flows.find(id);
  if (flow === undefined) return "ended";
  if (flow.calls.some((call) => call.isAdded && call.message.id === message.id)) return "known";
  const adding = flow.calls[by];
  const join = flow.joins[joinNumber];
  if (adding === undefined || adding.hasEnded || join === undefined || join.isClosed) return "ended";
  const number = flow.calls.length;
  const positions: readonly FlowPosition[] = [{ flow: id, call: number, next: [["slot", joinNumber, join.size]] }];
  const placed = { ...message, positions };
  const call = {
    ...runningCall({ queue, message: placed, text: encodeMessage(placed, Infinity), takesValue: false }, number),
    isAdded: true,
  };
  flow.calls.push(call);
  flow.queues.add(queue);
  flow.remaining++;
  flow.movedAt = time.now();
  join.size++;
  sendCall(queues, flow, call, undefined, time.now());
  const held = queues.find(queue)?.find(message.id);
  if (flow.isCalledOff && held !== undefined) queues.revoke(queue, held, "its chord was revoked", true);
  return "added";
}

/** `Flows.revoke` */
export function callOff({ flows }: Pick<FlowParts, "flows">, id: string, calls: "all" | readonly number[]): FlowRevocation | undefined {
  const flow = flows.find(id);
  if (flow === undefined) return undefined;
  flow.isResent = true;
  flow.isCalledOff ||= calls === "all";
  const asked = calls === "all" ? flow.calls.filter(({ isLink }) => !isLink) : calls.flatMap((number) => flow.calls[number] ?? []);
  return { ids: asked.flatMap(({ hasEnded, message }) => (hasEnded ? [] : message.id)), queues: [...flow.queues] };
}

function standingOf({ flows }: FlowParts, placed: Placed): Standing {
  const { positions, replaces } = placed.message;
  if (positions === undefined) return replaces === undefined ? "sound" : "forged";
  const [position] = positions;
  const flow = position && flows.find(position.flow);
  if (position === undefined || flow === undefined) return "ended";
  const call = flow.calls[position.call];
  if (call === undefined) return "forged";
  const { message, queue } = call;
  return isSaid(placed, { queue, ...message, positions: message.positions ?? [] }) ? "sound" : "forged";
}

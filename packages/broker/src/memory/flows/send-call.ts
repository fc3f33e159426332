import { messageStart } from "../../protocol/codec.js";
import type { QueueTable } from "../queue-table.js";
import type { RunningCall, RunningFlow } from "./running-flow.js";

/**
 * Sends a call whose turn has come, unless it was sent before.
 * @param value what comes to it, as JSON
 */
export function sendCall(queues: QueueTable, flow: RunningFlow, call: RunningCall, value: string | undefined, now: number): void {
  if (call.text === undefined || call.state !== "unsent") return;
  const { id, task, priority, eta = 0, resent = false } = call.message;
  const text = sealed(flow, call, value, now);
  const queue = queues.find(call.queue);
  const before = queue?.find(id);
  // What has ended under this id makes room: whoever takes the message finds its result, and goes
  // on.
  if ((flow.isResent || resent) && before?.place === "ended") queue?.remove(before);
  call.text = undefined;
  call.state = "sent";
  queues.add(call.queue, { id, task, priority, text }, Math.max(now + (call.countdown ?? 0), eta));
}

/** The message of a call whose turn has come. */
function sealed(
  flow: RunningFlow,
  { text = "", takesValue, countdown = 0, lifetime, message }: RunningCall,
  value: string | undefined,
  now: number,
): string {
  const filled = value !== undefined && takesValue ? withValue(text, value) : text;
  const times = [
    ...(countdown > 0 ? [`"eta":${now + countdown}`] : []),
    ...(lifetime === undefined ? [] : [`"expires":${now + lifetime}`]),
  ];
  const timed = times.length === 0 ? filled : `{${times.join()},${filled.slice(1)}`;
  return flow.isResent && message.resent !== true ? `${timed.slice(0, -1)},"resent":true}` : timed;
}

/** Where the arguments of an encoded message begin. */
const from = messageStart.length + 1;

/** An encoded message with a value before its arguments. */
function withValue(text: string, value: string): string {
  const rest = text.slice(from);
  return `${text.slice(0, from)}${value}${rest.startsWith("]") ? "" : ","}${rest}`;
}

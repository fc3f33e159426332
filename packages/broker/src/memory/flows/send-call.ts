import { completeMessage } from "../../protocol/envelope.js";
import type { QueueTable } from "../queue-table.js";
import type { RunningCall, RunningFlow } from "./running-flow.js";

/**
 * Sends a call whose turn has come, unless it was sent before.
 * @param value what comes to it, as JSON
 */
export function sendCall(queues: QueueTable, flow: RunningFlow, call: RunningCall, value: string | undefined, now: number): void {
  if (call.text === undefined || call.state !== "unsent") return;
  const { id, task, priority, eta = 0, resent = false } = call.message;
  const { takesValue, countdown = 0, lifetime } = call;
  const text = completeMessage(call.text, {
    value: takesValue ? value : undefined,
    eta: countdown > 0 ? now + countdown : undefined,
    expires: lifetime === undefined ? undefined : now + lifetime,
    resent: flow.isResent && !resent,
  });
  const queue = queues.find(call.queue);
  const before = queue?.find(id);
  // What has ended under this id makes room: whoever takes the message finds its result, and goes
  // on.
  if ((flow.isResent || resent) && before?.place === "ended") queue?.remove(before);
  call.text = undefined;
  call.state = "sent";
  queues.add(call.queue, { id, task, priority, text }, Math.max(now + countdown, eta));
}

import { tickId, type StoredEntry } from "@bullrush/broker";
import { messageOf, encodeWithCopies, type PublishSettings, type Sending } from "../publishing/build-message.js";
import { revivedOptions, type CallSettings, type TaskOptions } from "../options/task-options.js";
import { checkCall } from "../publishing/check-call.js";

/** A tick: an entry at a time. */
export interface DueEntry extends Pick<StoredEntry, "name" | "version" | "call"> {
  /** When it was due, in ms since the epoch. */
  readonly due: number;
  /** By how many ms it is delayed. */
  readonly jitter: number;
}

/**
 * Builds the messages of a tick, which are the same however often they are built. The app's routes
 * apply, `expires` counts from the due time plus the delay, and there is no reply channel. Throws
 * as sending the call would.
 */
export function tickOf(
  { name, version, call, due, jitter }: DueEntry,
  declared: TaskOptions,
  { router, maxPayload }: PublishSettings,
): Sending {
  const { task, args = [] } = call;
  const entryOptions = revivedOptions(call.options ?? {});
  const at = due + jitter;
  const options = { ...entryOptions, headers: tickHeaders(name, due, entryOptions.headers), ...(jitter > 0 && { eta: new Date(at) }) };
  checkCall(task, args, options);
  const { queues, priority = 0 } = router.route({ task, args, call: options, declared });
  const id = tickId(name, version, due);
  const address = { id, priority, replyTo: undefined, now: at, rootId: id, parentId: undefined, resent: false };
  return encodeWithCopies(messageOf({ task, args, declared, options }, address), queues, maxPayload);
}

/** The headers of a tick's message, beside those of its entry. */
export function tickHeaders(entry: string, due: number, headers: CallSettings["headers"] = {}): NonNullable<CallSettings["headers"]> {
  return { ...headers, beat: entry, scheduledAt: new Date(due).toISOString() };
}

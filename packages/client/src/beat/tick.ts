import { tickId, type StoredEntry } from "@bullrush/broker";
import { messageOf, sealed, type PublishSettings, type Sending } from "../publishing/build-message.js";
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
 * The messages of a tick, the same however often they are made: its call goes where the app's routes say, and what expires does so from when it was due, delay included. Nobody waits for its result.
 * Throws what sending the call would.
 */
export function tickOf(
  { name, version, call, due, jitter }: DueEntry,
  declared: TaskOptions,
  { router, maxPayload }: PublishSettings,
): Sending {
  const { task, args = [] } = call;
  const given = revivedOptions(call.options ?? {});
  const at = due + jitter;
  const options = { ...given, headers: tickHeaders(name, due, given.headers), ...(jitter > 0 && { eta: new Date(at) }) };
  checkCall(task, args, options);
  const { queues, priority = 0 } = router.route({ task, args, call: options, declared });
  const id = tickId(name, version, due);
  const address = { id, priority, replyTo: undefined, now: at, rootId: id, parentId: undefined, resent: false };
  return sealed(messageOf({ task, args, declared, options }, address), queues, maxPayload);
}

/** What the message of a tick says of it, beside the headers of its entry. */
export function tickHeaders(entry: string, due: number, headers: CallSettings["headers"] = {}): NonNullable<CallSettings["headers"]> {
  return { ...headers, beat: entry, scheduledAt: new Date(due).toISOString() };
}

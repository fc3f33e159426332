import { checkTaskId, copyId, isTaskId, newId, toMilliseconds, type Clock, type Message, type RoutedMessage } from "@bullrush/broker";
import { sendingTask } from "../task/context.js";
import type { CallOptions, TaskOptions } from "../task/options.js";
import type { CompiledOptions } from "./options.js";

/** A call to be sent. */
export interface Call {
  readonly task: string;
  readonly args: readonly unknown[];
  /** Options of the task's declaration, where it is known. */
  readonly declared: TaskOptions;
  readonly options: CallOptions;
}

/**
 * The messages of a call: one for each queue that it is routed to, the first under the call's id. Throws `INVALID_TASK_ID`, and what the router throws.
 * @param replyTo channel on which this process waits for results
 */
export function messagesOf(
  { task, args, declared, options }: Call,
  { router }: Pick<CompiledOptions, "router">,
  { replyTo, clock }: { readonly replyTo: string; readonly clock: Clock },
): readonly RoutedMessage[] {
  const id = options.taskId === undefined ? newId() : checkTaskId(options.taskId);
  const context = sendingTask();
  // A task that runs from a job of a plain BullMQ producer has an id that is no task's.
  const parent = context !== undefined && isTaskId(context.rootId) ? context : undefined;
  const now = clock.now();
  const { queues, priority = 0 } = router.route({ task, args, call: options, declared });
  const ignoreResult = options.ignoreResult ?? declared.ignoreResult;
  const eta = etaOf(options, now);
  const expires = expiryOf(options.expires ?? declared.expires, now);
  const message: Message = {
    id,
    task,
    args,
    headers: options.headers ?? {},
    priority,
    retries: 0,
    rootId: parent?.rootId ?? id,
    ...(parent !== undefined && { parentId: parent.id }),
    ...(eta !== undefined && { eta }),
    ...(expires !== undefined && { expires }),
    // `false` too, when somebody says so: the worker's declaration may say otherwise.
    ...(ignoreResult !== undefined && { ignoreResult }),
    ...(ignoreResult !== true && { replyTo }),
    // An id of the caller's may have been sent before.
    ...(options.taskId !== undefined && { resent: true }),
  };
  return queues.map((queue, index) => ({ queue, message: index === 0 ? message : copyFor(queue, message) }));
}

/** What a further queue gets: a task of its own, for which nobody waits. */
function copyFor(queue: string, { replyTo: _, ...message }: Message): Message {
  return { ...message, id: copyId(message.id, queue), headers: { ...message.headers, fanoutOf: message.id } };
}

function etaOf({ countdown, eta }: CallOptions, now: number): number | undefined {
  if (countdown !== undefined) return now + toMilliseconds(countdown, "countdown");
  return eta === undefined ? undefined : timeOf(eta);
}

function expiryOf(expires: CallOptions["expires"], now: number): number | undefined {
  if (expires === undefined) return undefined;
  return expires instanceof Date ? timeOf(expires) : now + toMilliseconds(expires, "expires");
}

/** A message knows no time before the epoch. */
function timeOf(date: Date): number {
  return Math.max(0, date.getTime());
}

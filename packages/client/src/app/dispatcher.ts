import {
  checkTaskId,
  copyId,
  encodeMessage,
  isTaskId,
  newId,
  toMilliseconds,
  type BullrushError,
  type Clock,
  type Message,
  type RoutedMessage,
  type Transport,
} from "@bullrush/broker";
import type { Call } from "../task/call.js";
import { sendingTask } from "../task/context.js";
import { compileLimits, type CallOptions, type TaskOptions } from "../task/options.js";
import type { CompiledOptions } from "./options.js";

/** What a call is sent as: one message for each queue that it is routed to, the first under the call's id. */
export type Sending = readonly [first: RoutedMessage, ...copies: RoutedMessage[]];

/**
 * The messages of a call, encoded. Throws `INVALID_TASK_ID`, `ENCODE_ERROR`, `PAYLOAD_TOO_LARGE`, and what the router throws.
 * @param replyTo channel on which this process waits for results
 */
export function sendingOf(
  call: Call,
  { router, maxPayload }: Pick<CompiledOptions, "router" | "maxPayload">,
  { replyTo, clock }: { readonly replyTo: string; readonly clock: Clock },
): Sending {
  const { task, args, declared, options } = call;
  const { queues, priority = 0 } = router.route({ task, args, call: options, declared });
  const message = messageOf(call, priority, replyTo, clock.now());
  const seal = (queue: string, message: Message): RoutedMessage => ({ queue, message, text: encodeMessage(message, maxPayload) });
  const [queue, ...others] = queues;
  if (queue === undefined) throw new TypeError("a call goes to one queue at least");
  return [seal(queue, message), ...others.map((other) => seal(other, copyFor(other, message)))];
}

/**
 * Publishes calls: the first message of each, then the copies of those whose first message was confirmed. Gives for each call
 * `undefined`, or the error of the first of its messages that was not confirmed.
 */
export async function publishCalls(transport: Transport, calls: readonly Sending[]): Promise<readonly (BullrushError | undefined)[]> {
  const errors = await transport.publish(calls.map(([first]) => first));
  if (calls.every(({ length }) => length === 1)) return errors;
  return Promise.all(
    calls.map(async ([, ...copies], call) => errors[call] ?? (await transport.publish(copies)).find((error) => error !== undefined)),
  );
}

function messageOf({ task, args, declared, options }: Call, priority: number, replyTo: string, now: number): Message {
  const id = options.taskId === undefined ? newId() : checkTaskId(options.taskId);
  const context = sendingTask();
  // A task that runs from a job of a plain BullMQ producer has an id that is no task's.
  const parent = context !== undefined && isTaskId(context.rootId) ? context : undefined;
  const ignoreResult = options.ignoreResult ?? declared.ignoreResult;
  const eta = etaOf(options, now);
  const expires = expiryOf(options.expires ?? declared.expires, now);
  const { timeLimit, softTimeLimit } = limitsOf(task, declared, options);
  const message: Writable<Message> = {
    id,
    task,
    args,
    headers: options.headers ?? {},
    priority,
    retries: 0,
    rootId: parent?.rootId ?? id,
  };
  if (parent !== undefined) message.parentId = parent.id;
  if (eta !== undefined) message.eta = eta;
  if (expires !== undefined) message.expires = expires;
  if (timeLimit !== undefined) message.timeLimit = timeLimit;
  if (softTimeLimit !== undefined) message.softTimeLimit = softTimeLimit;
  // `false` too, when somebody says so: the worker's declaration may say otherwise.
  if (ignoreResult !== undefined) message.ignoreResult = ignoreResult;
  if (ignoreResult !== true) message.replyTo = replyTo;
  if (options.maxRetries !== undefined) message.maxRetries = options.maxRetries === Infinity ? null : options.maxRetries;
  // An id of the caller's may have been sent before.
  if (options.taskId !== undefined) message.resent = true;
  return message;
}

type Limits = ReturnType<typeof compileLimits>;

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

/** What a further queue gets: a task of its own, for which nobody waits. */
function copyFor(queue: string, { replyTo: _, ...message }: Message): Message {
  return { ...message, id: copyId(message.id, queue), headers: { ...message.headers, fanoutOf: message.id } };
}

/** The limits of declarations, by the options that were given. */
const declaredLimits = new WeakMap<TaskOptions, Limits>();
const noLimits: Limits = {};

/** Most calls have none of their own, and most tasks none at all. */
function limitsOf(task: string, declared: TaskOptions, options: CallOptions): Limits {
  const { timeLimit = declared.timeLimit, softTimeLimit = declared.softTimeLimit } = options;
  if (timeLimit === undefined && softTimeLimit === undefined) return noLimits;
  if (options.timeLimit !== undefined || options.softTimeLimit !== undefined) return compileLimits(task, { timeLimit, softTimeLimit });
  let limits = declaredLimits.get(declared);
  if (limits === undefined) declaredLimits.set(declared, (limits = compileLimits(task, declared)));
  return limits;
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

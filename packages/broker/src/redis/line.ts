import type { Redis, RedisOptions } from "ioredis";
import { steadyClock } from "../time/clock.js";
import { BullrushError } from "../errors/error.js";
import { withTimeout } from "../time/with-timeout.js";
import { systemTiming } from "../time/shared-timer.js";
import { InflightCommands } from "./inflight-commands.js";
import type { CompiledLocation } from "./location.js";
import { reasonOf } from "./reason.js";
import { isDenied, refusalOf } from "./refusal.js";
import { silenceEvents } from "./script.js";

export interface LineOptions {
  /** Shown by `CLIENT LIST`. */
  readonly name: string;
  /** A line that leaves a command unanswered for this long, in ms, is dead and reconnects. */
  readonly idleTimeout: number;
  /** Whether the connection keeps the process alive while no command is in flight. */
  readonly holdsProcess: boolean;
  /** Is called with the reason of each failure. */
  readonly onConnectionError?: (reason: string) => void;
}

/**
 * One client of a Redis. It connects when it is first needed, reconnects when the connection is
 * lost, and checks whether that Redis is suitable.
 */
export interface Line {
  /**
   * The client, once the line has been prepared: preparing the first line loads the client library.
   * Throws before.
   */
  readonly client: Redis;
  /** The commands in flight. */
  readonly flights: InflightCommands;
  /** Whether commands can be sent at once. */
  readonly isOpen: boolean;
  /** Whether it has a socket, so that it waits for an answer, not for the next try to connect. */
  readonly hasSocket: boolean;
  /** Returns a function that says whether Redis has said anything on this line since. */
  listen(): () => boolean;
  /** Waits until the line is connected to a suitable Redis; rejects at the time `end`. */
  prepare(end: number): Promise<void>;
  /** Reconnects, if it is connected; commands in flight are rejected. */
  renew(): void;
  /** Closes the line without waiting for the other side; commands in flight are rejected. */
  drop(): void;
  /** Closes the line at once; commands in flight are rejected. */
  close(): void;
}

/**
 * The options that reliability depends on; they override the user's. `commandTimeout` is off, since
 * it aborts blocking reads.
 */
function guards({ name, idleTimeout }: LineOptions): RedisOptions {
  return {
    connectionName: name,
    lazyConnect: true,
    // With a limit, ioredis gives up on a command during an outage, and a task that succeeded would
    // look failed.
    maxRetriesPerRequest: null,
    // The connection repeats a command whose reply was lost, marked or not at all; ioredis would
    // repeat it silently.
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    // ioredis would end the process with an unhandled rejection; each subscription subscribes again
    // by itself.
    autoResubscribe: false,
    commandTimeout: undefined,
    connectTimeout: 5000,
    socketTimeout: idleTimeout,
    keepAlive: 10_000,
    retryStrategy: retryDelay,
    // A primary that became a replica: reconnect and repeat the command.
    reconnectOnError: (error) => (refusalOf(error).code === "read-only" ? 2 : false),
  };
}

/** The pause before the next try to connect, in ms, after `tries` tries. */
function retryDelay(tries: number): number {
  return Math.min(2000, 50 * 2 ** Math.min(tries, 6)) * (0.75 + Math.random() / 4);
}

/** Opens a line to `location`; nothing is sent before it is prepared. */
export function openLine({ options: given, display, bullmqEvents = true, password }: CompiledLocation, options: LineOptions): Line {
  const settings = { ...given, ...guards(options), failoverDetector: given.sentinels != null, replyMapping: "legacy" as const };
  const closing = new AbortController();
  let client: Redis | undefined;
  let loading: Promise<Redis> | undefined;
  // Without resending, ioredis forgets commands in flight when a connection is lost: their promises
  // never settle.
  const flights = new InflightCommands(systemTiming, hold);
  let lastError: unknown;
  let connecting: Promise<void> | undefined;
  let checking: Promise<void> | undefined;
  let suitable = false;
  let unsuitable: BullrushError | undefined;
  const lose = () => flights.lose(new Error("the connection was lost"));

  async function loadClient(): Promise<Redis> {
    const { openClient } = await import("./open-client.js");
    if (closing.signal.aborted) throw new Error("the connection is closed");
    const { holdsProcess } = options;
    client = openClient(settings, password && { password, closing: closing.signal, delay: retryDelay, holdsProcess });
    if (!bullmqEvents) silenceEvents(client);
    client.on("close", lose);
    client.on("error", onError);
    if (!options.holdsProcess) client.on("ready", () => hold(flights.isBusy)).on("reconnecting", letGoOfPause);
    return client;
  }

  function onError(error: unknown): void {
    lastError = error;
    // ioredis continues with database 0.
    if (refusalOf(error).code === "unknown-database") {
      unsuitable = new BullrushError("REDIS_UNSUITABLE", { url: display, reason: `it has no database ${given.db}` });
      suitable = false;
    }
    // A client that is closed while it connects complains about what it cannot send.
    if (!closing.signal.aborted) options.onConnectionError?.(reasonOf(error));
  }

  /**
   * Keeps the process alive while commands are in flight; otherwise only if the line always does.
   */
  function hold(busy: boolean): void {
    if (options.holdsProcess) return;
    if (busy) client?.stream?.ref();
    else client?.stream?.unref();
  }

  /**
   * Lets the process end during the pause between two tries to connect: each caller that waits has
   * a timer of its own.
   */
  function letGoOfPause(): void {
    (client as unknown as { readonly reconnectTimeout: NodeJS.Timeout | null } | undefined)?.reconnectTimeout?.unref();
  }

  async function prepare(end: number): Promise<void> {
    loading ??= loadClient();
    const loaded = client ?? (await loading);
    if (loaded.status !== "ready") await connected(loaded, end - steadyClock.now());
    if (unsuitable !== undefined) throw unsuitable;
    if (suitable) return;
    checking ??= checkSuitable(loaded).finally(() => (checking = undefined));
    await withTimeout(checking, end - steadyClock.now(), () => {
      throw new Error("no answer");
    });
  }

  async function checkSuitable(loaded: Redis): Promise<void> {
    const info = await flights.add(loaded.info("cluster"), steadyClock.now() + options.idleTimeout);
    if (/cluster_enabled:1/.test(info)) throw new BullrushError("CLUSTER_UNSUPPORTED", { url: display });
    if (unsuitable !== undefined) throw unsuitable;
    suitable = true;
  }

  /**
   * Waits until the client is ready, whichever try succeeds. Rejects at once when Redis refuses the
   * user, else after `deadline` ms with the last error.
   */
  function connected(loaded: Redis, deadline: number): Promise<void> {
    connecting ??= becomeReady(loaded).finally(() => (connecting = undefined));
    return withTimeout(connecting, deadline, () => {
      throw lastError instanceof Error ? lastError : new Error("no answer");
    });
  }

  function becomeReady(loaded: Redis): Promise<void> {
    if (closing.signal.aborted || loaded.status === "end") return Promise.reject(new Error("the connection is closed"));
    return new Promise((resolve, reject) => {
      const onReady = () => finish();
      const onEnd = () => finish(new Error("the connection was closed"));
      const onError = (error: unknown) => {
        if (isDenied(refusalOf(error))) finish(error);
      };
      const finish = (error?: unknown) => {
        loaded.off("ready", onReady).off("end", onEnd).off("error", onError);
        closing.signal.removeEventListener("abort", onEnd);
        if (error === undefined) resolve();
        else reject(error);
      };
      loaded.on("ready", onReady).on("end", onEnd).on("error", onError);
      // Between two tries to connect, ioredis ends without an event.
      closing.signal.addEventListener("abort", onEnd);
      if (loaded.status === "wait") loaded.connect().catch(onError);
    });
  }

  function close(): void {
    closing.abort();
    client?.disconnect();
  }

  return {
    get client() {
      if (client === undefined) throw new TypeError("a line has no client before it is prepared");
      return client;
    },
    flights,
    get isOpen() {
      return suitable && client?.status === "ready";
    },
    get hasSocket() {
      return client?.status === "ready" || client?.status === "connect" || client?.status === "connecting";
    },
    listen: () => {
      const stream = client?.stream;
      const before = stream?.bytesRead ?? 0;
      return () => client?.stream !== undefined && client.stream.bytesRead > (client.stream === stream ? before : 0);
    },
    prepare,
    renew: () => {
      if (client?.status === "ready") client.disconnect(true);
    },
    drop: () => {
      close();
      // A dead link does not answer the end of a connection either.
      client?.stream?.destroy();
      lose();
    },
    close,
  };
}

import type { Redis, RedisOptions } from "ioredis";
import { steadyClock } from "../clock.js";
import { BullrushError } from "../error.js";
import { within } from "../within.js";
import { systemTiming } from "../shared-timer.js";
import { InflightCommands } from "./inflight-commands.js";
import type { CompiledLocation } from "./location.js";
import { isRefusal, isReply, reasonOf } from "./reason.js";
import { silenceEvents } from "./script.js";

export interface LineOptions {
  /** Shown by `CLIENT LIST`. */
  readonly name: string;
  /** A line that owes an answer for this long, in ms, is dead and connects anew. */
  readonly silence: number;
  /** Whether the connection keeps the process alive while nothing is owed on it. */
  readonly holdsProcess: boolean;
  /** Hears why the line fails, at each failure. */
  readonly onConnectionError?: (reason: string) => void;
}

/** One client of a Redis: it connects when it is first needed and again when the connection is lost, and knows whether that Redis will do. */
export interface Line {
  /** Only once the line has been prepared: the client library is loaded for the first line that is. */
  readonly client: Redis;
  /** What it has not answered yet. */
  readonly flights: InflightCommands;
  /** Whether commands can be sent at once. */
  readonly isOpen: boolean;
  /** Whether it has a socket, so that it is silence that it waits in, not the pause between two tries to connect. */
  readonly hasSocket: boolean;
  /** Gives a function that says whether Redis has said anything on this line since. */
  listen(): () => boolean;
  /** Waits until there is a connection, and to a Redis that will do; rejects at the time `end`. */
  prepare(end: number): Promise<void>;
  /** Connects anew, if it is connected; what is in flight is rejected. */
  renew(): void;
  /** Gives up its connection without waiting for the other side, and what it has not answered; closes it. */
  drop(): void;
  /** Closes it at once; what is in flight is rejected. */
  close(): void;
}

/** The options that reliability rests on; whatever the user gives, these hold. `commandTimeout` is not among them: it aborts blocking reads. */
function guards({ name, silence }: LineOptions): RedisOptions {
  return {
    connectionName: name,
    lazyConnect: true,
    // With a limit, ioredis gives up on a command during an outage, and a task that succeeded would look failed.
    maxRetriesPerRequest: null,
    // A command whose reply was lost is repeated by us, marked, or not at all: ioredis would send it again without a word.
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    // Nobody would hear that it failed: its rejection would end the process. Whoever subscribes does so again.
    autoResubscribe: false,
    commandTimeout: undefined,
    connectTimeout: 5000,
    socketTimeout: silence,
    keepAlive: 10_000,
    retryStrategy: retryDelay,
    // A primary that became a replica: connect anew and repeat the command.
    reconnectOnError: (error) => (error.message.includes("READONLY") ? 2 : false),
  };
}

/** How long to wait before the next try to connect, after so many, in ms. */
function retryDelay(tries: number): number {
  return Math.min(2000, 50 * 2 ** Math.min(tries, 6)) * (0.75 + Math.random() / 4);
}

/** Opens a line to `location`; nothing is sent before it is prepared. */
export function openLine({ options: given, display, bullmqEvents = true, password }: CompiledLocation, options: LineOptions): Line {
  const settings = { ...given, ...guards(options), failoverDetector: given.sentinels != null, replyMapping: "legacy" as const };
  const closing = new AbortController();
  let client: Redis | undefined;
  let loading: Promise<Redis> | undefined;
  // Without resending, ioredis forgets what was in flight when a connection is lost: its promises never settle.
  const flights = new InflightCommands(systemTiming, hold);
  let trouble: unknown;
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
    trouble = error;
    // ioredis goes on with database 0.
    if (isReply(error) && /DB index/.test(String(error))) {
      unsuitable = new BullrushError("REDIS_UNSUITABLE", { url: display, reason: `it has no database ${given.db}` });
      suitable = false;
    }
    // When it is closed while it connects, ioredis complains about what it cannot send.
    if (!closing.signal.aborted) options.onConnectionError?.(reasonOf(error));
  }

  /** Has the process stay for what is owed, and, unless the line holds it anyway, for nothing else. */
  function hold(busy: boolean): void {
    if (options.holdsProcess) return;
    if (busy) client?.stream?.ref();
    else client?.stream?.unref();
  }

  /** Whoever waits for the connection has a timer of its own: the pause between two tries to connect need not keep the process. */
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
    await within(checking, end - steadyClock.now(), () => {
      throw new Error("no answer");
    });
  }

  async function checkSuitable(loaded: Redis): Promise<void> {
    const info = await flights.add(loaded.info("cluster"), steadyClock.now() + options.silence);
    if (/cluster_enabled:1/.test(info)) throw new BullrushError("CLUSTER_UNSUPPORTED", { url: display });
    if (unsuitable !== undefined) throw unsuitable;
    suitable = true;
  }

  /** Waits until the client is ready, whichever try to connect succeeds. Rejects at once when Redis refuses the user, else after `deadline` ms with the last trouble. */
  function connected(loaded: Redis, deadline: number): Promise<void> {
    connecting ??= becomeReady(loaded).finally(() => (connecting = undefined));
    return within(connecting, deadline, () => {
      throw trouble instanceof Error ? trouble : new Error("no answer");
    });
  }

  function becomeReady(loaded: Redis): Promise<void> {
    if (closing.signal.aborted || loaded.status === "end") return Promise.reject(new Error("the connection is closed"));
    return new Promise((resolve, reject) => {
      const onReady = () => finish();
      const onEnd = () => finish(new Error("the connection was closed"));
      const onError = (error: unknown) => {
        if (isRefusal(error)) finish(error);
      };
      const finish = (error?: unknown) => {
        loaded.off("ready", onReady).off("end", onEnd).off("error", onError);
        closing.signal.removeEventListener("abort", onEnd);
        if (error === undefined) resolve();
        else reject(error);
      };
      loaded.on("ready", onReady).on("end", onEnd).on("error", onError);
      // Between two tries to connect, ioredis ends without a word.
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

import type { Redis } from "ioredis";
import { defaultIdleTimeout, type Connection } from "./connection.js";
import { roleOf } from "./role.js";

/** The one subscription of this process to a channel. */
export interface Subscription {
  /**
   * Calls `listener` with each message that is published from now on. Resolves once subscribed;
   * call the returned function to stop. Rejects as `Connection.run` does. Calls `onGap` each time
   * that it listens again after an interruption: messages published meanwhile were missed.
   */
  subscribe(listener: (payload: string) => void, onGap?: () => void): Promise<() => void>;
  close(): void;
}

export interface SubscriptionOptions {
  readonly channel: string;
  /** What failed if subscribing fails, for the error. */
  readonly action: string;
  /** In ms. */
  readonly deadline: number;
  /** Is called when the Redis has turned from a primary into a replica. */
  readonly onDemoted?: () => void;
  /** Time between two checks, in ms. Default: 10,000. */
  readonly checkEvery?: number;
  /**
   * Whether the subscription keeps the process alive. Its connection must be opened with the same
   * value. Default: true.
   */
  readonly holdsProcess?: boolean;
}

/**
 * A subscription on a connection of its own, which is opened for the first listener and reconnects
 * when it is lost; messages published meanwhile are missed. It is checked now and then: an idle
 * subscriber never notices that its link is dead, or that its Redis is no longer a primary.
 */
export function openSubscription(
  open: (onReplaced: () => void) => Connection,
  { channel, action, deadline, onDemoted, checkEvery = 10_000, holdsProcess = true }: SubscriptionOptions,
): Subscription {
  const listeners = new Map<object, { readonly listener: (payload: string) => void; readonly onGap: (() => void) | undefined }>();
  let connection: Connection | undefined;
  let subscribed: Promise<void> | undefined;
  let checks: NodeJS.Timeout | undefined;
  /** The client that is subscribed: a connection replaces a client whose link has died. */
  let hearing: Redis | undefined;
  /** Whether subscribing again has failed. */
  let isDeaf = false;
  let wasPrimary = false;

  async function begin(): Promise<void> {
    const opened = open(() => void check(opened));
    connection = opened;
    try {
      await opened.run({ action, deadline }, (client) => subscribeOnce(client));
    } catch (error) {
      subscribed = undefined;
      opened.close();
      throw error;
    }
    if (connection !== opened) return;
    checks = setInterval(() => void check(opened), checkEvery);
    if (!holdsProcess) checks.unref();
  }

  async function subscribeOnce(client: Redis): Promise<void> {
    if (client !== hearing) {
      hearing?.removeAllListeners("message");
      hearing = client;
      client.on("message", (_: string, payload: string) => {
        for (const { listener } of listeners.values()) listener(payload);
      });
      // Subscribes again after each loss: the reply says from when on messages arrive.
      client.on("ready", () => void client.subscribe(channel).then(tellGap, () => (isDeaf = true)));
    }
    await client.subscribe(channel);
  }

  function tellGap(): void {
    isDeaf = false;
    for (const { onGap } of listeners.values()) onGap?.();
  }

  /** Never rejects: a failed check is repeated by the next one. */
  async function check(opened: Connection): Promise<void> {
    try {
      const role = await opened.run({ action: "a subscription was not checked", deadline: defaultIdleTimeout }, async (client) => {
        if (client !== hearing || isDeaf) {
          await subscribeOnce(client);
          tellGap();
        }
        return roleOf(client);
      });
      if (role === "replica" && wasPrimary) {
        onDemoted?.();
        opened.renew();
      }
      wasPrimary ||= role === "primary";
    } catch {
      // The connection reports its own errors.
    }
  }

  return {
    subscribe: async (listener, onGap) => {
      await (subscribed ??= begin());
      const key = {};
      listeners.set(key, { listener, onGap });
      return () => void listeners.delete(key);
    },
    close: () => {
      clearInterval(checks);
      connection?.close();
      connection = undefined;
    },
  };
}

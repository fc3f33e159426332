import type { Redis } from "ioredis";
import { defaultSilence, type Connection } from "./connection.js";

/** The one subscription of this process to a channel. */
export interface Subscription {
  /**
   * Calls `listener` with whatever is published from now on. Resolves once subscribed; call the returned function to stop. Rejects as
   * `Connection.run` does.
   */
  subscribe(listener: (payload: string) => void): Promise<() => void>;
  close(): void;
}

export interface SubscriptionOptions {
  readonly channel: string;
  /** What came to nothing if subscribing fails, for the error. */
  readonly action: string;
  /** In ms. */
  readonly deadline: number;
}

/**
 * A subscription on a connection of its own, which is opened for the first listener and remade when it is lost; what is published meanwhile
 * is not heard. It sends a PING now and then: an idle subscriber would never notice that its link is dead.
 */
export function openSubscription(open: () => Connection, { channel, action, deadline }: SubscriptionOptions): Subscription {
  const listeners = new Set<(payload: string) => void>();
  let connection: Connection | undefined;
  let subscribed: Promise<void> | undefined;
  let pings: NodeJS.Timeout | undefined;

  async function begin(): Promise<void> {
    const opened = open();
    connection = opened;
    try {
      await opened.run({ action, deadline }, (client) => subscribeOnce(client));
    } catch (error) {
      subscribed = undefined;
      opened.close();
      throw error;
    }
    if (connection !== opened) return;
    pings = setInterval(() => {
      opened.run({ action: "no ping", deadline: defaultSilence }, (client) => client.ping()).catch(() => undefined);
    }, defaultSilence);
  }

  function subscribeOnce(client: Redis): Promise<unknown> {
    client.removeAllListeners("message");
    client.on("message", (_: string, payload: string) => {
      for (const listener of listeners) listener(payload);
    });
    return client.subscribe(channel);
  }

  return {
    subscribe: async (listener) => {
      await (subscribed ??= begin());
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => {
      clearInterval(pings);
      connection?.close();
      connection = undefined;
    },
  };
}

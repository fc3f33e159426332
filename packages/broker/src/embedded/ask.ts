import { Redis, type RedisOptions } from "ioredis";
import { withTimeout } from "../time/with-timeout.js";

/**
 * What `command` gives, over one connection that is made for it and not remade. Rejects with ioredis's error, also when the database of `options` was refused,
 * which ioredis itself gets over by taking database 0; or at the deadline, in ms.
 */
export async function ask<T>(options: RedisOptions, deadline: number, command: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({
    ...options,
    replyMapping: "legacy",
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: deadline,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
  });
  let firstError: unknown;
  client.on("error", (error: unknown) => {
    firstError ??= error;
  });
  const outcome = client
    .connect()
    .then(() => command(client))
    .then(
      (value) => (firstError === undefined ? { value } : { error: firstError }),
      (error: unknown) => ({ error: firstError ?? error }),
    );
  try {
    const settled = await withTimeout<{ value: T } | { error: unknown }>(outcome, deadline, () => ({
      error: firstError ?? new Error("no answer"),
    }));
    if ("error" in settled) throw settled.error;
    return settled.value;
  } finally {
    client.disconnect();
  }
}

import { Redis } from "ioredis";
import { startServer } from "../../../../integration/lib/server.js";

export { deadPort, serverBinary as redisBinary } from "../../../../integration/lib/server.js";

/** A Redis for one test file alone, to be configured as no shared one may be. */
export interface PrivateRedis {
  readonly url: string;
  /** The path of its Unix socket. */
  readonly socket: string;
  /** A client that is not subject to what is tested. */
  readonly client: Redis;
  stop(): Promise<void>;
}

/** Starts a server with `options` in the form of its command line, such as `["--cluster-enabled", "yes"]`. */
export async function startRedis(options: readonly string[] = []): Promise<PrivateRedis> {
  const server = await startServer(options);
  const client = new Redis(server.port, "127.0.0.1", { replyMapping: "legacy", maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on("error", () => undefined);
  return {
    url: `redis://127.0.0.1:${server.port}`,
    socket: server.socket,
    client,
    stop: async () => {
      client.disconnect();
      await server.kill();
    },
  };
}

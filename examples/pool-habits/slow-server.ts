import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** An HTTP server on a free port that answers `/<ms>` after that many ms. */
export interface SlowServer {
  /** The URL that answers after `ms`. */
  url(ms: number): string;
  stop(): Promise<void>;
}

export async function startSlowServer(): Promise<SlowServer> {
  const server = createServer(({ url = "" }, response) => {
    const ms = Number(url.slice(1));
    setTimeout(() => response.end(`after ${ms} ms`), ms);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (ms) => `http://127.0.0.1:${port}/${ms}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

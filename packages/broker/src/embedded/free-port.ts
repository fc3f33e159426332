import { createServer } from "node:net";

/** A TCP port of 127.0.0.1 that nobody listens on right now. Somebody else may take it before you do. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no TCP port was given")),
      );
    });
  });
}

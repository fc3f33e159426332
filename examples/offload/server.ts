// GET /squares/12 answers 144. A computed answer goes into the cache, and the reply does not wait
// for that.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { cache, writeCache } from "./tasks.js";

interface Answer {
  readonly square: number;
  readonly cached: boolean;
}

async function square(n: number): Promise<Answer> {
  const key = `square:${n}`;
  const kept = await cache.get(key);
  if (kept !== null) return { square: Number(kept), cached: true };
  const value = n * n;
  // Waits about a millisecond, until the broker has confirmed the call. Without the broker, the
  // server still answers.
  await writeCache.delay(key, value).catch((error: unknown) => console.error("not cached:", error));
  return { square: value, cached: false };
}

const server = createServer((request, response) => {
  const [, n] = /^\/squares\/(\d{1,6})$/.exec(request.url ?? "") ?? [];
  if (n === undefined) return void response.writeHead(404).end();
  square(Number(n)).then(
    (answer) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer)),
    (error: unknown) => {
      console.error(error);
      response.writeHead(500).end();
    },
  );
});

server.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`ready on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { createApp } from "@bullrush/client";
import { expect, inject, test } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "bullrush-tls-"));
const [key, certificate] = [join(directory, "key.pem"), join(directory, "certificate.pem")];
const request = [
  "req",
  "-x509",
  "-newkey",
  "rsa:2048",
  "-nodes",
  "-days",
  "2",
  "-subj",
  "/CN=localhost",
  "-addext",
  "subjectAltName=DNS:localhost",
];
const made = spawnSync("openssl", [...request, "-keyout", key, "-out", certificate]).status === 0;
const pair = made ? { key: readFileSync(key, "utf8"), cert: readFileSync(certificate, "utf8") } : undefined;
rmSync(directory, { recursive: true, force: true });
if (!made) console.log("skipped: TLS needs openssl, to make a certificate");

test.skipIf(pair === undefined)("rediss://: refuses an unknown certificate, and accepts one of a configured authority", async () => {
  const { hostname, port } = new URL(inject("redisUrl"));
  const server = createServer(pair ?? {}, (client) => {
    const redis = connect(Number(port), hostname);
    client.pipe(redis).pipe(client);
    for (const [side, other] of [[client, redis] as const, [redis, client] as const])
      side.on("error", () => other.destroy()).on("close", () => other.destroy());
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `rediss://localhost:${(server.address() as AddressInfo).port}`;

  const wary = createApp({ broker: url, publishTimeout: "1s" });
  await expect(wary.sendTask("add")).rejects.toMatchObject({
    code: "BROKER_UNAVAILABLE",
    message: expect.stringContaining("self-signed certificate"),
  });
  await wary.close();

  const trusting = createApp({ broker: { url, tls: { ca: pair?.cert ?? "" } }, prefix: randomUUID() });
  const result = await trusting.sendTask("add", [1, 2]);
  expect(await result.status()).toBe("PENDING");
  await trusting.close();
  server.close();
  await once(server, "close");
});

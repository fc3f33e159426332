import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../src/embedded/free-port.js";
import { openConnection } from "../../src/redis/connection.js";
import { compileLocation } from "../../src/redis/location.js";
import { redisBinary, startRedis, type PrivateRedis } from "./private-redis.js";

const folder = mkdtempSync(join(tmpdir(), "bullrush-url-tls-"));
const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
const subject = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject, "-keyout", key, "-out", certificate];

/** A server with TLS, which demands certificates of its clients; `undefined` where there is none. */
async function startWithTls(port: number): Promise<PrivateRedis | undefined> {
  if (redisBinary === undefined || spawnSync("openssl", request).status !== 0) return undefined;
  const files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate];
  return startRedis(["--tls-port", String(port), ...files]).catch(() => undefined);
}

describe("a Redis with TLS", () => {
  let redis: PrivateRedis | undefined;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    redis = await startWithTls(port);
    url = `s://localhost:${port}`;
  });

  afterAll(async () => {
    await redis?.stop();
    rmSync(folder, { recursive: true });
  });

  async function ping(scheme: string, query: string): Promise<string> {
    const connection = openConnection(compileLocation(`${scheme}${url}?${query}`), { service: "broker", name: "test" });
    try {
      return await connection.run({ action: "it was not asked", deadline: 2000 }, (client) => client.ping());
    } finally {
      connection.close();
    }
  }

  test.for([
    `tls_ca=${certificate}&ssl_certfile=${certificate}&ssl_keyfile=${key}`,
    `ssl_ca_certs=${certificate}&ssl_cert_reqs=required&ssl_certfile=${certificate}&ssl_keyfile=${key}`,
    `tls_insecure=1&ssl_certfile=${certificate}&ssl_keyfile=${key}`,
    `ssl_cert_reqs=CERT_NONE&ssl_certfile=${certificate}&ssl_keyfile=${key}`,
  ])("is reached with %s", async (query, { skip }) => {
    if (redis === undefined) return skip("no redis-server with TLS, or no openssl");
    expect(await ping("redis", query)).toBe("PONG");
    expect(await ping("valkey", query)).toBe("PONG");
  });

  test.for<readonly [query: string, reason: string]>([
    [`ssl_certfile=${certificate}&ssl_keyfile=${key}`, "self-signed certificate"],
    [`ssl_cert_reqs=optional&ssl_certfile=${certificate}&ssl_keyfile=${key}`, "self-signed certificate"],
    [`tls_ca=${certificate}`, ""],
  ])("is not reached with %s", async ([query, reason], { skip }) => {
    if (redis === undefined) return skip("no redis-server with TLS, or no openssl");
    await expect(ping("redis", query)).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE", message: expect.stringContaining(reason) });
  });
});

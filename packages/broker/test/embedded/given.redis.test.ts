import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRedis, type RedisServer } from "../../src/embedded/index.js";
import { kinds, portOf, withClient, withSilentServer } from "./support.js";
import { deadPort } from "../redis/private-redis.js";

let server: RedisServer;
let host: string;

beforeAll(async () => {
  server = await openRedis({ only: kinds[0] });
  host = `127.0.0.1:${portOf(server.url)}`;
  await withClient(server.url, (client) => client.call("ACL", "SETUSER", "ann", "on", ">s3cret", "~*", "&*", "+@all"));
});

afterAll(() => server.stop());

const refusal = (url: string) =>
  openRedis({ url }).then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a Redis given by its URL", () => {
  test("is taken as it is, and not stopped", async () => {
    const url = `redis://ann:s3cret@${host}/3`;
    const given = await openRedis({ url });
    expect(given).toMatchObject({ url, kind: "given", description: `Redis given by URL redis://${host}/3` });
    await given.stop();
    await given.stop();
    expect(await withClient(url, (client) => client.ping())).toBe("PONG");
  });

  test.each([
    ["REDIS_AUTH", () => `redis://ann:wrong-s3cret@${host}/0`],
    ["REDIS_UNSUITABLE", () => `redis://ann:s3cret@${host}/99`],
    ["INVALID_URL", () => `ann:s3cret@${host}`],
    ["INVALID_URL", () => `http://ann:s3cret@${host}`],
  ])("is refused with %s", async (code, url) => {
    const error = await refusal(url());
    expect(error).toMatchObject({ code });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("s3cret");
  });

  test("that does not listen is waited for, for 5 s", async () => {
    const port = deadPort;
    const error = await refusal(`redis://ann:s3cret@127.0.0.1:${port}/1`);
    expect(error).toMatchObject({
      code: "BROKER_UNAVAILABLE",
      message: `the broker redis://127.0.0.1:${port}/1 could not be used for 5000 ms (connect ECONNREFUSED 127.0.0.1:${port}): a PING was not answered`,
    });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("s3cret");
  });

  test("that accepts and does not answer is given up after 5 s", async () => {
    await withSilentServer(async (port) => {
      const error = await refusal(`redis://ann:s3cret@127.0.0.1:${port}`);
      expect(error).toMatchObject({ code: "BROKER_UNAVAILABLE" });
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("s3cret");
    });
  });
});

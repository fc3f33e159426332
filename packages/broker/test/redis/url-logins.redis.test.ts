import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openConnection } from "../../src/redis/connection.js";
import { compileLocation, type RedisLocation } from "../../src/redis/location.js";
import { redisBinary, startRedis, type PrivateRedis } from "./private-redis.js";

let redis: PrivateRedis;
let host: string;

/** Who Redis says it is, and in which database. */
async function whoAmI(location: RedisLocation): Promise<string> {
  const connection = openConnection(compileLocation(location), { service: "broker", name: "test" });
  try {
    return await connection.run({ action: "it was not asked", deadline: 5000 }, async (client) => {
      const info = String(await client.client("INFO"));
      return `${String(await client.acl("WHOAMI"))} ${/ db=(\d+)/.exec(info)?.[1]}`;
    });
  } finally {
    connection.close();
  }
}

describe.skipIf(redisBinary === undefined)("a Redis takes the password that is meant", () => {
  beforeAll(async () => {
    redis = await startRedis();
    ({ host } = new URL(redis.url));
  });

  afterAll(async () => {
    await redis.stop();
  });

  const passwords = ["a<b%zz", "100%sure[x]", "ä%", "p@ss", "p#ss", "p/ss", "p?ss", "p%23ss", "a b", 'q"\\uo`te', "x:y", "=&+,;"];

  test.each(passwords)("%j, by a URL that has it encoded, and none when it is another", async (password) => {
    await redis.client.acl("SETUSER", "ann", "reset", "on", `>${password}`, "allcommands", "allkeys", "allchannels");
    await redis.client.config("SET", "requirepass", password);
    const encoded = encodeURIComponent(password);
    expect(await whoAmI(`redis://:${encoded}@${host}/1`)).toBe("default 1");
    expect(await whoAmI(`redis://ann:${encoded}@${host}/2`)).toBe("ann 2");
    expect(await whoAmI(`unix://ann:${encoded}@${encodeURI(redis.socket)}?db=3`)).toBe("ann 3");
    expect(await whoAmI(`redis+socket://:${encoded}@${encodeURI(redis.socket)}?virtual_host=4`)).toBe("default 4");
    expect(await whoAmI({ url: `redis://ann@${host}`, password })).toBe("ann 0");
    await expect(whoAmI(`redis://ann:${encoded}x@${host}`)).rejects.toMatchObject({ code: "REDIS_AUTH" });
  });

  test.each(passwords.filter((password) => !/[#/?]|%23/.test(password)))("%j, by a URL that has it as it is", async (password) => {
    await redis.client.acl("SETUSER", "ann", "reset", "on", `>${password}`, "allcommands", "allkeys", "allchannels");
    expect(await whoAmI(`redis://ann:${password}@${host}/2`)).toBe("ann 2");
    expect(await whoAmI(`"valkey://ann:${password}@${host}?db=2"`)).toBe("ann 2");
  });
});

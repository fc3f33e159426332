import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { newId } from "../../src/id.js";
import { openConnection, type Connection } from "../../src/redis/connection.js";
import { compileLocation } from "../../src/redis/location.js";

describe("a password that is asked for", () => {
  const user = `asked-${newId()}`;
  let admin: Redis;
  let connection: Connection | undefined;
  let asked: string[];
  let troubles: string[];

  beforeEach(() => {
    admin = new Redis(inject("redisUrl"), { replyMapping: "legacy" });
    [asked, troubles] = [[], []];
  });

  afterEach(async () => {
    connection?.close();
    await admin.acl("DELUSER", user);
    admin.disconnect();
  });

  /** From now on only `password` is good, and all who are connected are thrown out. */
  async function rotate(password: string): Promise<void> {
    await admin.acl("SETUSER", user, "reset", "on", `>${password}`, "allcommands", "allkeys", "allchannels");
    await admin.client("KILL", "USER", user);
  }

  function open(password: () => string | Promise<string>): Connection {
    const ask = async () => {
      asked.push("asked");
      return password();
    };
    const location = compileLocation({ url: inject("redisUrl").replace("://", `://${user}@`), password: ask });
    return (connection = openConnection(location, {
      service: "broker",
      name: "test",
      onConnectionError: (reason) => troubles.push(reason),
    }));
  }

  const whoAmI = (deadline = 20_000) => connection?.run({ action: "it was not asked", deadline }, (client) => client.acl("WHOAMI"));

  test("is asked for at each connect, and at no command", async () => {
    await rotate("token 1");
    let token = "token 1";
    open(() => token);
    expect(asked).toEqual([]);
    expect(await whoAmI()).toBe(user);
    expect(await whoAmI()).toBe(user);
    expect(asked).toHaveLength(1);
    token = "token 2";
    await rotate(token);
    await eventually("a second question", () => asked.length >= 2);
    expect(await whoAmI()).toBe(user);
  });

  test("that cannot be had is asked for again, and why is said", async () => {
    await rotate("token");
    open(() => {
      if (asked.length < 3) throw new Error("no role");
      return "token";
    });
    expect(await whoAmI()).toBe(user);
    expect(asked).toHaveLength(3);
    expect(troubles).toEqual(["no role", "no role"]);
  });

  test.each([undefined, "", 12])("is no password when it is %j", async (answer) => {
    open(() => answer as string);
    await expect(whoAmI(300)).rejects.toMatchObject({
      code: "BROKER_UNAVAILABLE",
      message: expect.stringContaining("(the password function gave no text)"),
    });
  });

  test("that is refused is REDIS_AUTH", async () => {
    await rotate("token");
    open(() => "another");
    await expect(whoAmI()).rejects.toMatchObject({ code: "REDIS_AUTH" });
  });

  test("that is answered after the connection was closed opens none", async () => {
    await rotate("token");
    let answer = (_: string) => {};
    const opened = open(() => new Promise((resolve) => (answer = resolve)));
    const running = whoAmI()?.catch((error: unknown) => error);
    await eventually("a question", () => asked.length === 1);
    opened.close();
    expect(await running).toMatchObject({ code: "BROKER_UNAVAILABLE" });
    answer("token");
    await admin.ping();
    expect(String(await admin.client("LIST"))).not.toContain(` user=${user} `);
  });
});

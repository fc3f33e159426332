import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { openConnection, type Connection, type ConnectionOptions, type Request } from "../../src/redis/connection.js";
import { DeadLinks } from "../../src/redis/dead-links.js";
import { compileLocation } from "../../src/redis/location.js";
import { newId } from "../../src/id.js";
import { openProxy, type Proxy } from "../../../../integration/lib/proxy.js";
import { redisBinary, startRedis } from "./private-redis.js";

let proxy: Proxy;

beforeEach(async () => {
  proxy = await openProxy(inject("redisUrl"));
});
afterEach(() => proxy.close());

function open(options: Partial<ConnectionOptions> = {}, url = proxy.url): Connection {
  const connection = openConnection(compileLocation(url), { service: "broker", name: "bullrush:test", ...options });
  onTestFinished(() => connection.close());
  return connection;
}

/** Runs `command`, and says on which connection it was answered, by its number in Redis, and how each try was marked. */
async function run(
  connection: Connection,
  request: Partial<Request> = {},
  command: (client: Redis) => Promise<unknown> = (client) => client.ping(),
) {
  const tries: boolean[] = [];
  const id = await connection.run({ action: "nothing", deadline: 5000, ...request }, async (client, repeated) => {
    tries.push(repeated);
    const [number] = await Promise.all([client.client("ID"), command(client)]);
    return number;
  });
  return { id, tries };
}

/** A way to Redis whose connections, once they are cut, say nothing any more, not even that they end: as when a cable is pulled. */
async function openCable() {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const { hostname, port } = new URL(inject("redisUrl"));
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) sockets.add(socket.on("error", () => undefined));
    near.on("data", (data) => far.write(data));
    far.on("data", (data) => near.write(data));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  const cut = () => {
    for (const socket of sockets) socket.removeAllListeners("data").resume();
  };
  return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, cut };
}

describe("a connection that falls silent", () => {
  test("and does not answer its end either: the call is repeated on a fresh one all the same", async () => {
    const cable = await openCable();
    const connection = open({}, cable.url);
    await run(connection);
    cable.cut();
    // Less than what a client waits for the end of a connection.
    const answers = await Promise.all([run(connection, { deadline: 2700 }), run(connection, { deadline: 2700 })]);
    expect(answers.map(({ tries }) => tries)).toEqual([
      [false, true],
      [false, true],
    ]);
  });

  test("while idle: the first call is repeated, marked, on a fresh one, and the silent one is closed", async () => {
    const connection = open();
    const { id } = await run(connection);
    proxy.blackhole();
    const again = await run(connection);
    expect(again.tries).toEqual([false, true]);
    expect(again.id).not.toBe(id);
    expect(await run(connection)).toEqual({ id: again.id, tries: [false] });
    await eventually("the silent one is closed", () => proxy.connections() === 1);
  });

  test("under many calls at once: one fresh connection answers all", async () => {
    const connection = open();
    await run(connection);
    proxy.blackhole();
    const answers = await Promise.all(Array.from({ length: 20 }, () => run(connection)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.map(({ tries }) => tries)).toEqual(answers.map(() => [false, true]));
    await eventually("the silent one is closed", () => proxy.connections() === 1);
  });

  test("several times in a row: each time a fresh one takes its place", async () => {
    const connection = open();
    await run(connection);
    for (let round = 0; round < 3; round++) {
      proxy.blackhole();
      expect((await run(connection, { deadline: 1500 })).tries).toEqual([false, true]);
    }
    await eventually("the silent ones are closed", () => proxy.connections() === 1);
  });

  test("while it is made: the call goes over a fresh one", async () => {
    proxy.blackhole({ alsoNew: true });
    const answer = run(open());
    await eventually("a connection", () => proxy.connections() === 1);
    proxy.pass();
    expect((await answer).tries).toEqual([false]);
    await eventually("the silent one is closed", () => proxy.connections() === 1);
  });

  test("and a Redis that does so too: an error by the deadline, and a call after that goes through", async () => {
    const connection = open();
    await run(connection);
    proxy.blackhole({ alsoNew: true });
    await expect(run(connection, { deadline: 300 })).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
    proxy.pass();
    expect((await run(connection)).tries).toHaveLength(2);
    await eventually("the silent ones are closed", () => proxy.connections() === 1);
  });

  test("and is closed while a fresh one is made: nothing stays open", async () => {
    const connection = open();
    await run(connection);
    proxy.blackhole({ alsoNew: true });
    const answer = run(connection, { deadline: 3000 }).catch((error: unknown) => error);
    await eventually("a fresh connection", () => proxy.connections() === 2);
    connection.close();
    expect(await answer).toMatchObject({ code: "BROKER_UNAVAILABLE" });
    await eventually("all are closed", () => proxy.connections() === 0);
  });
});

describe("connections that tell each other of dead links", () => {
  test("a call that finds one dead: the others are replaced before they are used, and each once", async () => {
    const deadLinks = new DeadLinks();
    let replaced = 0;
    const onReplaced = () => void replaced++;
    const [first, second, third] = [open({ deadLinks }), open({ deadLinks, onReplaced }), open({ deadLinks, onReplaced })];
    await Promise.all([run(first), run(second), run(third)]);
    proxy.blackhole();
    expect((await run(first, { deadline: 900 })).tries).toEqual([false, true]);
    await eventually("the others are replaced", () => replaced === 2);
    for (const other of [second, third]) expect((await run(other)).tries).toEqual([false]);
    await eventually("those that died are closed", () => proxy.connections() === 3);
    expect(replaced).toBe(2);
  });

  test("a blocking read over a dead link: it is begun anew, marked", async () => {
    const deadLinks = new DeadLinks();
    const name = `bell-${newId()}`;
    const [commands, bell] = [open({ deadLinks }), open({ deadLinks, name })];
    await Promise.all([run(commands), run(bell)]);
    const key = `test-${newId()}`;
    proxy.blackhole();
    const read = run(bell, { deadline: 60_000, blocking: true }, (client) => client.blpop(key, 30));
    await run(commands, { deadline: 900 });
    await run(commands, {}, async (client) => {
      const reading = new RegExp(`name=${name} .*cmd=blpop`);
      await eventually("it blocks", async () => reading.test(String(await client.client("LIST"))));
      return client.rpush(key, "a");
    });
    expect((await read).tries).toEqual([false, true]);
  });

  test("one that is well is kept", async () => {
    const deadLinks = new DeadLinks();
    const well = openConnection(compileLocation(inject("redisUrl")), { service: "broker", name: "bullrush:well", deadLinks });
    onTestFinished(() => well.close());
    const [dying, { id }] = [open({ deadLinks }), await run(well)];
    await run(dying);
    proxy.blackhole();
    const before = await run(dying, { deadline: 900 });
    expect(before.tries).toEqual([false, true]);
    expect(await run(well)).toEqual({ id, tries: [false] });
    const named = async () =>
      String(await well.run({ action: "", deadline: 5000 }, (client) => client.client("LIST"))).match(/bullrush:well/g);
    await eventually("the one that was tried is closed", async () => (await named())?.length === 1);
    expect((await run(well)).id).toBe(id);
  });
});

describe("a connection that is kept", () => {
  test("because it is slow: each reply later than a third of the deadline is waited for, once", async () => {
    const connection = open();
    const { id } = await run(connection);
    proxy.slow(500);
    for (let round = 0; round < 3; round++) expect(await run(connection, { deadline: 2400 })).toEqual({ id, tries: [false] });
    const together = await Promise.all(Array.from({ length: 5 }, () => run(connection, { deadline: 2400 })));
    expect(together).toEqual(together.map(() => ({ id, tries: [false] })));
    proxy.slow(0);
    await eventually("the others are closed", () => proxy.connections() === 1);
  });

  test("because a blocking read may say nothing", async () => {
    const connection = open();
    const { id } = await run(connection);
    const read = (client: Redis) => client.blpop(`test-${newId()}`, 0.5);
    expect(await run(connection, { deadline: 900, blocking: true }, read)).toEqual({ id, tries: [false] });
    expect(proxy.connections()).toBe(1);
  });
});

describe.skipIf(redisBinary === undefined)("a primary that becomes a replica", () => {
  const request = { reads: true };

  test("is left by a connection that only reads", async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const connection = open({ roleEvery: 20 }, server.url);
    const { id } = await run(connection, request);
    // The second answer comes after that to the question for the role, which went out with the first call.
    await run(connection);
    await server.client.replicaof("127.0.0.1", 1);
    await eventually("another connection", async () => (await run(connection, request)).id !== id);
  });

  test("is not believed when it says that something is missing", async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const connection = open({}, server.url);
    const { id } = await run(connection, { reads: true });
    await server.client.replicaof("127.0.0.1", 1);
    const ask = (missing: boolean) => {
      const ids: unknown[] = [];
      return connection
        .run({ action: "nothing", deadline: 5000, reads: true, doubts: () => missing }, async (client) =>
          ids.push(await client.client("ID")),
        )
        .then(() => ids);
    };
    expect(await ask(false)).toEqual([id]);
    const asked = await ask(true);
    expect(asked).toEqual([id, expect.anything()]);
    expect(asked[1]).not.toBe(id);
  });

  test("is not left because it was a replica from the beginning", async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    await server.client.replicaof("127.0.0.1", 1);
    const connection = open({ roleEvery: 0 }, server.url);
    const { id } = await run(connection, request);
    for (let round = 0; round < 20; round++) expect((await run(connection, request)).id).toBe(id);
  });
});

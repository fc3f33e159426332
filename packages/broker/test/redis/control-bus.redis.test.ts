import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { newId } from "../../src/id.js";
import type { ControlBus, ControlCommand } from "../../src/ports/control-bus.js";
import { redisControlBus } from "../../src/redis/control-bus.js";
import { controlChannel } from "../../src/redis/keys.js";
import { openProxy, type Proxy } from "../../../../integration/lib/proxy.js";

let prefix: string;
let redis: Redis;
let proxy: Proxy;
let buses: ControlBus[];

beforeEach(async () => {
  prefix = `test-${newId()}`;
  redis = new Redis(inject("redisUrl"), { replyMapping: "legacy", maxRetriesPerRequest: null });
  proxy = await openProxy(inject("redisUrl"));
  buses = [];
});

afterEach(async () => {
  await Promise.all(buses.map((bus) => bus.close()));
  redis.disconnect();
  await proxy.close();
});

function open(of = prefix, location = inject("redisUrl")): ControlBus {
  const bus = redisControlBus({ location, prefix: of });
  buses.push(bus);
  return bus;
}

function commandOf(reason: string): ControlCommand {
  return { type: "revoke", ids: [newId()], reason, terminate: false };
}

async function listen(bus: ControlBus): Promise<{ readonly heard: readonly ControlCommand[]; readonly stop: () => void }> {
  const heard: ControlCommand[] = [];
  return { heard, stop: await bus.subscribe((command) => void heard.push(command)) };
}

describe("a control message", () => {
  test("is heard by all who listen under its prefix, and by nobody else", async () => {
    const [one, two, other] = [await listen(open()), await listen(open()), await listen(open(`${prefix}-other`))];
    const commands = [commandOf("a"), commandOf("b"), { ...commandOf('"€\n😀'), terminate: true }];
    const sender = open();
    for (const command of commands) await sender.publish(command);
    await eventually("all messages", () => one.heard.length >= 3 && two.heard.length >= 3);
    expect([one.heard, two.heard, other.heard]).toEqual([commands, commands, []]);
    one.stop();
    await sender.publish(commandOf("c"));
    await eventually("the last", () => two.heard.length === 4);
    expect(one.heard).toHaveLength(3);
  });

  test("that is none, is unknown, or has more in it than it should does no harm", async () => {
    const { heard } = await listen(open());
    const last = commandOf("last");
    const texts = [
      "",
      "revoke",
      "null",
      "[]",
      '{"type":"shutdown"}',
      '{"type":"eval","code":"process.exit(1)"}',
      '{"type":"revoke"}',
      '{"type":"revoke","ids":["*"],"reason":"x"}',
      `{"type":"revoke","ids":["${newId()}"],"reason":1}`,
      `{"type":"revoke","ids":"${newId()}","reason":"x"}`,
      `{"type":"revoke","ids":["${newId()}"],"reason":"x","__proto__":{"polluted":true}}`,
      JSON.stringify({ ...last, since: "a later version" }),
    ];
    for (const text of texts) await redis.publish(controlChannel(prefix), text);
    await eventually("the last", () => heard.length > 0);
    expect(heard).toEqual([last]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("to nobody is no error", async () => {
    await open().publish(commandOf("nobody listens"));
  });

  test("is heard again after the connection was lost", async () => {
    const { heard } = await listen(open(prefix, proxy.url));
    proxy.reset();
    const sender = open();
    await eventually("a message", async () => {
      await sender.publish(commandOf("again"));
      return heard.length > 0;
    });
  });
});

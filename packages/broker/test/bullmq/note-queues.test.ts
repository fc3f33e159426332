import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openProxy } from "../../../../integration/lib/proxy.js";
import { newId } from "../../src/id.js";
import { queuesKey } from "../../src/redis/keys.js";
import { flowOf } from "../ports/flow-play.js";
import { messageOf } from "../ports/messages.js";
import { advanceOf, tickOf } from "../ports/calendar.js";
import { eventually } from "../ports/waiting.js";
import { openCalendar, type RedisCalendar } from "./redis-calendar.js";

describe("the queues to which messages were sent", () => {
  let calendar: RedisCalendar;
  beforeEach(() => void (calendar = openCalendar()));
  afterEach(() => calendar.close());

  const key = () => queuesKey(calendar.broker.prefix);
  const noted = async () => (await calendar.broker.redis.smembers(key())).toSorted();
  const to = (queue: string) => [{ queue, message: messageOf() }];

  test("are noted with the first message, plain or not, and not again", async () => {
    const { redis } = calendar.broker;
    const transport = calendar.broker.connect();
    await transport.publish([...to("a"), ...to("b"), { queue: "c", message: messageOf({ priority: 1 }) }]);
    expect(await noted()).toEqual(["a", "b", "c"]);
    await redis.srem(key(), "a", "c");
    await transport.publish([...to("a"), ...to("d"), { queue: "c", message: messageOf({ eta: Date.now() + 60_000 }) }]);
    expect(await noted()).toEqual(["b", "d"]);
  });

  test("are noted again on another connection: the Redis behind it may be another", async () => {
    await using proxy = await openProxy(calendar.broker.url);
    const transport = calendar.broker.connect({ location: proxy.url });
    await transport.publish(to("a"));
    await calendar.broker.redis.del(key());
    proxy.reset();
    await eventually("note on the new connection", async () => {
      await transport.publish(to("a"));
      return (await noted()).length > 0;
    });
    expect(await noted()).toEqual(["a"]);
  });

  test("are all of a flow's, those of later steps too", async () => {
    const flow = flowOf([
      { task: "sum", next: [["step", 1]] },
      { task: "list", queue: "later" },
    ]);
    await calendar.broker.connect().startFlow(flow);
    expect(await noted()).toEqual(["feeds", "later"]);
  });

  test("are those of a beat's ticks", async () => {
    const { store, lead, prepare } = calendar;
    const term = await lead();
    const entry = await prepare(term, "a", 1000);
    expect(await noted()).toEqual([]);
    await store.advance(term, [advanceOf(entry, [tickOf(1000, "nightly")], 2000)]);
    expect(await noted()).toEqual(["nightly"]);
  });

  test("may be so many that tasks are looked for in several calls", async () => {
    const { redis } = calendar.broker;
    const transport = calendar.broker.connect();
    const sent = [...to("far"), ...to("near"), ...to("far")];
    await transport.publish(sent);
    // A call is good for 16 tasks then.
    await redis.sadd(key(), ...Array.from({ length: 3000 }, (_, index) => `q${index}`));
    const ids = sent.flatMap(({ message }) => [...Array.from({ length: 20 }, newId), message.id]);
    const there = ids.map((_, index) => (index % 21 === 20 ? "waiting" : "absent"));
    expect(await transport.locate(ids.map((id) => ({ id, queues: ["near"], elsewhere: true })))).toEqual(there);
    const marked = await transport.revoke(ids, ["near"], { reason: "no need", terminate: false }, true);
    expect(marked.map(({ location }) => location)).toEqual(there);
  });

  test("that cannot be noted hold up no message, and no look-up; they are with the next one", async () => {
    await calendar.broker.redis.set(key(), "spoilt");
    const transport = calendar.broker.connect();
    const [sent] = to("a");
    expect(await transport.publish([sent!])).toEqual([undefined]);
    const { id } = sent!.message;
    const where = (queues: readonly string[]) => transport.locate([{ id, queues, elsewhere: true }]);
    expect([await where([]), await where(["a"])]).toEqual([["absent"], ["waiting"]]);
    await calendar.broker.redis.del(key());
    await transport.publish(to("a"));
    expect([await where([]), await noted()]).toEqual([["waiting"], ["a"]]);
  });
});

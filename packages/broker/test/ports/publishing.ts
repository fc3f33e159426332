import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newId } from "../../src/id.js";
import type { Message } from "../../src/protocol/message.js";
import { argumentsOf, contentOf, messageOf, numbered } from "./messages.js";
import type { Stage } from "./stage.js";
import { hear, take, takeOne } from "./waiting.js";

export function describePublishing(stage: () => Stage): void {
  describe("publishing", () => {
    test("confirms a message, which is then delivered as it was sent", async () => {
      const id = newId();
      const message: Message = {
        id,
        task: "feeds.import",
        args: [{ url: "a b?c=d", ключ: ["€", "😀", null, 0.1] }, "\u0000\ud800"],
        headers: { trace: { id: "x" }, n: 1 },
        priority: 3,
        retries: 2,
        rootId: newId(),
        parentId: newId(),
        groupId: newId(),
        expires: Date.now() + 60_000,
        timeLimit: 30_000,
        softTimeLimit: 20_000,
        replyTo: "bullrush:reply:somewhere",
        ignoreResult: true,
        resent: true,
      };
      expect(await stage().engine.queues.publish([{ queue: "feeds", message }])).toEqual([undefined]);
      const delivery = await takeOne(stage().consume(["feeds"]));
      expect(delivery).toMatchObject({ queue: "feeds", id, number: 1, content: { type: "message" } });
      expect(contentOf(delivery)).toEqual(message);
    });

    test("carries whatever JSON can carry", async () => {
      const consumer = stage().consume(["feeds"]);
      const values = fc
        .sample(fc.jsonValue({ noUnicodeString: false }), 100)
        .filter((value) => !JSON.stringify(value).includes("__proto__"));
      await stage().send(...values.map((value) => ({ queue: "feeds", message: messageOf({ args: [value] }) })));
      const deliveries = await take(consumer, values.length);
      expect(argumentsOf(deliveries)).toEqual(values.map((value) => JSON.parse(JSON.stringify(value)) as unknown));
    });

    test("of nothing gives nothing", async () => {
      expect(await stage().engine.queues.publish([])).toEqual([]);
    });

    test("gives each message its own error, and sends the others", async () => {
      const good = [messageOf(), messageOf(), messageOf()];
      const bad = [
        messageOf({ args: [1n] }),
        messageOf({ args: ["x".repeat(2 ** 20)] }),
        messageOf({ args: [Object.defineProperty({}, "a", { enumerable: true, get: () => JSON.parse("{") as unknown })] }),
        messageOf({ headers: { at: new Date(0) as never } }),
      ];
      const mixed = [bad[0], good[0], bad[1], bad[2], good[1], bad[3], good[2]] as readonly Message[];
      const errors = await stage().engine.queues.publish(mixed.map((message) => ({ queue: "feeds", message })));
      expect(errors.map((error) => error?.code)).toEqual([
        "ENCODE_ERROR",
        undefined,
        "PAYLOAD_TOO_LARGE",
        "ENCODE_ERROR",
        undefined,
        "ENCODE_ERROR",
        undefined,
      ]);
      const deliveries = await take(stage().consume(["feeds"]), 10);
      expect(deliveries.map(({ id }) => id)).toEqual(good.map(({ id }) => id));
    });

    test("of bad messages only sends nothing", async () => {
      const errors = await stage().engine.queues.publish([{ queue: "feeds", message: messageOf({ args: [Number.NaN] }) }]);
      expect(errors).toMatchObject([{ code: "ENCODE_ERROR" }]);
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 0, delayed: 0 });
    });

    test("the same id again leaves the message that is there, in one call or several", async () => {
      const first = messageOf({ args: ["first"] });
      const again = { ...first, args: ["again"], resent: true };
      await stage().send({ queue: "feeds", message: first }, { queue: "feeds", message: again });
      await stage().send({ queue: "feeds", message: again });
      const consumer = stage().consume(["feeds"]);
      const delivery = await takeOne(consumer);
      await stage().send({ queue: "feeds", message: again });
      expect(contentOf(delivery)).toEqual(first);
      expect(await take(consumer, 10)).toEqual([]);
    });

    test("the same id again leaves a message that is delayed", async () => {
      const first = messageOf({ eta: Date.now() + 60_000 });
      await stage().send({ queue: "feeds", message: first });
      await stage().send({ queue: "feeds", message: { ...first, eta: 0 } });
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 0, delayed: 1 });
    });

    test("several queues get each their own", async () => {
      const messages = ["a", "b", "c", "a"].map((queue) => ({ queue, message: messageOf({ args: [queue] }) }));
      await stage().send(...messages);
      for (const queue of ["a", "b", "c"]) {
        const deliveries = await take(stage().consume([queue]), 10);
        expect(argumentsOf(deliveries)).toEqual(messages.filter((message) => message.queue === queue).map(() => queue));
      }
    });
  });

  describe("messages of one queue come", () => {
    test("in the order in which they were sent", async () => {
      await stage().send(...numbered("feeds", 50));
      await stage().send(...numbered("feeds", 50));
      const numbers = Array.from({ length: 50 }, (_, number) => number);
      expect(argumentsOf(await take(stage().consume(["feeds"]), 200))).toEqual([...numbers, ...numbers]);
    });

    test("by priority, 0 first and 9 last, and by age within one", async () => {
      const priorities = [9, 0, 5, 1, 0, 9, 5, 1, 2, 8];
      await stage().send(
        ...priorities.map((priority, age) => ({ queue: "feeds", message: messageOf({ priority, args: [[priority, age]] }) })),
      );
      const expected = priorities.map((priority, age) => [priority, age] as const).toSorted(([p, a], [q, b]) => p - q || a - b);
      expect(argumentsOf(await take(stage().consume(["feeds"]), 20))).toEqual(expected);
    });

    test("not before their eta", async () => {
      const consumer = stage().consume(["feeds"]);
      const eta = Date.now() + 3000;
      await stage().send(
        { queue: "feeds", message: messageOf({ eta, priority: 4, args: ["late"] }) },
        { queue: "feeds", message: messageOf() },
      );
      expect(argumentsOf(await take(consumer, 10))).toEqual([1]);
      const [late] = await hear(consumer, 1);
      expect(Date.now()).toBeGreaterThanOrEqual(eta);
      expect(contentOf(late as typeof late & {})).toMatchObject({ eta, priority: 4, args: ["late"] });
    });

    test.each([0, -1, -60_000, -0.5])("at once when their eta is past: %d ms from now", async (ahead) => {
      await stage().send({ queue: "feeds", message: messageOf({ eta: Date.now() + ahead }) });
      expect(await take(stage().consume(["feeds"]), 10)).toHaveLength(1);
    });

    test("never, as far as anybody sees, when their eta is the end of time", async () => {
      await stage().send(
        { queue: "feeds", message: messageOf({ eta: 8.64e15 }) },
        { queue: "feeds", message: messageOf({ args: ["now"] }) },
      );
      expect(argumentsOf(await take(stage().consume(["feeds"]), 10))).toEqual(["now"]);
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 0, delayed: 1 });
    });
  });
}

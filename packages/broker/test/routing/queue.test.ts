import { describe, expect, test } from "vitest";
import { type QueueOption, checkQueueName, compileQueue, findQueueNameFlaw } from "../../src/routing/queue.js";

describe("checkQueueName", () => {
  test.each(["default", "for_task_A", "a.b-c", "a/b", "__proto__", "{tag}", "é", "🐂", "x".repeat(200)])("takes %j", (name) => {
    expect(checkQueueName(name)).toBe(name);
    expect(findQueueNameFlaw(name)).toBeUndefined();
  });

  test.each<[name: unknown, reason: RegExp]>([
    ["", /^it is empty$/],
    ["x".repeat(201), /201 characters, and 200/],
    ["a:b", /":".*BullMQ/],
    ["a,b", /","/],
    ["a b", /whitespace/],
    ["a\n", /whitespace/],
    ["a\u00a0b", /whitespace/],
    ["a\0b", /control character/],
    ["a\u007f", /control character/],
    ["a\u001b[31m", /control character/],
    ["a\ud800", /surrogate/],
    [undefined, /not a string/],
    [null, /not a string/],
    [7, /not a string/],
    [Symbol("queue"), /not a string/],
    [Object.create(null), /not a string/],
  ])("refuses %j", (name, reason) => {
    expect(() => checkQueueName(name)).toThrow(
      expect.objectContaining({ code: "INVALID_QUEUE_NAME", details: expect.objectContaining({ reason: expect.stringMatching(reason) }) }),
    );
  });

  test("shows the name short and without control characters", () => {
    expect(() => checkQueueName("a\u001b[31mb")).toThrow('"a\\u001b[31mb" is not a queue name: it contains a control character');
    expect(() => checkQueueName("x".repeat(10_000))).toThrow(/^"x{79}…" is not/);
  });
});

describe("compileQueue", () => {
  test.each<[given: QueueOption, bindings: object[]]>([
    ["q", [{ exchange: "q", type: "direct", routingKey: "q" }]],
    [{ name: "q" }, [{ exchange: "q", type: "direct", routingKey: "q" }]],
    [{ name: "q", bindings: [] }, [{ exchange: "q", type: "direct", routingKey: "q" }]],
    [{ name: "q", routingKey: "k" }, [{ exchange: "q", type: "direct", routingKey: "k" }]],
    [{ name: "q", exchange: "e" }, [{ exchange: "e", routingKey: "q" }]],
    [{ name: "q", exchange: "e", routingKey: "k" }, [{ exchange: "e", routingKey: "k" }]],
    [{ name: "q", exchange: { name: "e" }, routingKey: "" }, [{ exchange: "e", routingKey: "" }]],
    [{ name: "q", exchange: { name: "e", type: "fanout" } }, [{ exchange: "e", type: "fanout", routingKey: "q" }]],
    [
      { name: "q", bindings: [{ exchange: "e", routingKey: "k" }, { exchange: { name: "f", type: "topic" } }] },
      [
        { exchange: "e", routingKey: "k" },
        { exchange: "f", type: "topic", routingKey: "q" },
      ],
    ],
    [
      { name: "q", exchange: "d", routingKey: "j", bindings: [{ exchange: "e", routingKey: "k" }] },
      [
        { exchange: "d", routingKey: "j" },
        { exchange: "e", routingKey: "k" },
      ],
    ],
  ])("%j", (given, bindings) => {
    expect(compileQueue(given, "queues[0]")).toEqual({ name: "q", bindings });
  });

  test.each<[given: unknown, message: string]>([
    [undefined, "queues[0] is undefined; expected the name of a queue, or an object with a name"],
    [7, "queues[0] is 7; expected the name of a queue, or an object with a name"],
    [["q"], "queues[0] is an array; expected the name of a queue, or an object with a name"],
    [new Map(), "queues[0] is a Map; expected the name of a queue, or an object with a name"],
    [{ name: "q", key: "k" }, "queues[0].key is no option; expected one of name, exchange, routingKey, bindings, retention"],
    [{ name: "q", exchange: "" }, 'queues[0].exchange is ""; expected the name of an exchange, or an object with a name and a type'],
    [{ name: "q", exchange: 5 }, "queues[0].exchange is 5; expected the name of an exchange, or an object with a name and a type"],
    [{ name: "q", exchange: {} }, "queues[0].exchange.name is undefined; expected the name of an exchange"],
    [
      { name: "q", exchange: { name: "e", type: "headers" } },
      'queues[0].exchange.type is "headers"; expected "direct", "topic" or "fanout"',
    ],
    [{ name: "q", exchange: { name: "e", kind: "topic" } }, "queues[0].exchange.kind is no option; expected one of name, type"],
    [{ name: "q", routingKey: 5 }, "queues[0].routingKey is 5; expected a string"],
    [{ name: "q", bindings: "e" }, 'queues[0].bindings is "e"; expected an array of bindings'],
    [{ name: "q", bindings: ["e"] }, 'queues[0].bindings[0] is "e"; expected an object with an exchange'],
    [{ name: "q", bindings: Array(1) }, "queues[0].bindings[0] is undefined; expected an object with an exchange"],
    [{ name: "q", bindings: [{ exchange: "e", routingKey: null }] }, "queues[0].bindings[0].routingKey is null; expected a string"],
    [
      { name: "q", routingKey: "k", bindings: [{ exchange: "e" }] },
      'queues[0].routingKey is "k"; expected an exchange beside it, or a key in each of the bindings',
    ],
  ])("refuses %j", (given, message) => {
    expect(() => compileQueue(given as QueueOption, "queues[0]")).toThrow(expect.objectContaining({ code: "INVALID_OPTION", message }));
  });

  test("refuses a bad name", () => {
    for (const given of ["a:b", { name: "a:b" }, {}] as QueueOption[]) {
      expect(() => compileQueue(given, "queues[0]")).toThrow(expect.objectContaining({ code: "INVALID_QUEUE_NAME" }));
    }
  });
});

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { QueueOption } from "../../src/routing/queue.js";
import { Topology } from "../../src/routing/topology.js";

describe("declared queues", () => {
  const topology = new Topology([
    "default",
    { name: "for_task_A", exchange: "for_task_A", routingKey: "for_task_A" },
    { name: "for_task_B", exchange: "for_task_B", routingKey: "for_task_B" },
  ]);

  test("in declared order", () => {
    expect(topology.queues).toEqual(["default", "for_task_A", "for_task_B"]);
    expect(topology.has("for_task_A")).toBe(true);
    expect(["other", "__proto__", "constructor"].some((name) => topology.has(name))).toBe(false);
  });

  test("are reached through their exchanges", () => {
    expect(topology.resolve("for_task_A", "for_task_A")).toEqual(["for_task_A"]);
    expect(topology.resolve("default", "default")).toEqual(["default"]);
    expect(topology.resolve("for_task_A", "for_task_B")).toEqual([]);
    expect(topology.resolve("feeds", "feeds.import")).toEqual([]);
    expect(topology.resolve("constructor", "name")).toEqual([]);
    expect(topology.exchangeOf("for_task_B")).toBe("for_task_B");
    expect(topology.exchangeOf("toString")).toBeUndefined();
  });

  test("name those that may get copies", () => {
    expect(topology.copyQueues).toEqual([]);
    const many = new Topology([
      { name: "a", exchange: { name: "all", type: "fanout" } },
      { name: "b", exchange: "all" },
      { name: "c", exchange: { name: "by-topic", type: "topic" }, routingKey: "feeds.*" },
      { name: "d", exchange: "by-topic", routingKey: "#", bindings: [{ exchange: "all" }] },
      { name: "e", exchange: "direct", routingKey: "same" },
      { name: "f", exchange: "direct", routingKey: "same" },
      { name: "g", exchange: "direct", routingKey: "another" },
    ]);
    expect(many.copyQueues).toEqual(["b", "d", "f"]);
    expect(many.including("h").copyQueues).toEqual(many.copyQueues);
  });

  test("may be none", () => {
    expect(new Topology([]).queues).toEqual([]);
  });

  test("include one more on demand", () => {
    const more = topology.including("more");
    expect(more.queues).toEqual(["default", "for_task_A", "for_task_B", "more"]);
    expect(more.resolve("more", "more")).toEqual(["more"]);
    expect(topology.has("more")).toBe(false);
    expect(topology.including("default")).toBe(topology);
    expect(() => topology.including("a:b")).toThrow(expect.objectContaining({ code: "INVALID_QUEUE_NAME" }));
  });

  test("do not change with the array they came from", () => {
    const given: QueueOption[] = ["a"];
    const topology = new Topology(given);
    given.push("b");
    expect(topology.including("c").queues).toEqual(["a", "c"]);
  });
});

describe("exchanges", () => {
  test("direct: every queue bound with the key, in declared order, once", () => {
    const topology = new Topology([
      {
        name: "b",
        bindings: [
          { exchange: "media", routingKey: "image" },
          { exchange: "media", routingKey: "image" },
        ],
      },
      {
        name: "a",
        bindings: [
          { exchange: "media", routingKey: "video" },
          { exchange: "media", routingKey: "image" },
        ],
      },
    ]);
    expect(topology.resolve("media", "image")).toEqual(["b", "a"]);
    expect(topology.resolve("media", "video")).toEqual(["a"]);
  });

  test("topic", () => {
    const topology = new Topology([
      { name: "all", exchange: { name: "feeds", type: "topic" }, routingKey: "feeds.#" },
      {
        name: "imports",
        bindings: [
          { exchange: "feeds", routingKey: "*.import" },
          { exchange: "feeds", routingKey: "feeds.*" },
        ],
      },
    ]);
    expect(topology.resolve("feeds", "feeds.import")).toEqual(["all", "imports"]);
    expect(topology.resolve("feeds", "feeds.import.rss")).toEqual(["all"]);
    expect(topology.resolve("feeds", "web.import")).toEqual(["imports"]);
    expect(topology.resolve("feeds", "web.export")).toEqual([]);
  });

  test("fanout ignores the key", () => {
    const topology = new Topology([
      { name: "a", exchange: { name: "broadcast", type: "fanout" }, routingKey: "x" },
      { name: "b", exchange: "broadcast" },
      "c",
    ]);
    expect(topology.resolve("broadcast", "whatever")).toEqual(["a", "b"]);
  });

  test("a name has the type that is declared elsewhere, also later", () => {
    const topology = new Topology([
      { name: "a", exchange: "feeds", routingKey: "feeds.*" },
      { name: "b", exchange: { name: "feeds", type: "topic" }, routingKey: "#" },
    ]);
    expect(topology.resolve("feeds", "feeds.import")).toEqual(["a", "b"]);
  });

  test("a name alone is direct, also when its key looks like a pattern", () => {
    const topology = new Topology([{ name: "a", exchange: "feeds", routingKey: "feeds.*" }]);
    expect(topology.resolve("feeds", "feeds.import")).toEqual([]);
    expect(topology.resolve("feeds", "feeds.*")).toEqual(["a"]);
  });

  test("exchanges and queues named like members of objects", () => {
    const topology = new Topology(["__proto__", "constructor", "toString"]);
    expect(topology.resolve("__proto__", "__proto__")).toEqual(["__proto__"]);
    expect(topology.resolve("valueOf", "valueOf")).toEqual([]);
  });
});

test.each<[given: unknown, message: string]>([
  [["a", "b", "a"], 'queues[2] is "a" again; expected every queue to be declared once'],
  [["a", { name: "a", exchange: "e" }], 'queues[1] is "a" again; expected every queue to be declared once'],
  [
    [
      { name: "a", exchange: { name: "e", type: "topic" } },
      { name: "b", exchange: { name: "e", type: "direct" } },
    ],
    'exchange "e" is direct for queue "b"; expected topic, as for queue "a"',
  ],
  [[{ name: "a", exchange: { name: "b", type: "topic" } }, "b"], 'exchange "b" is direct for queue "b"; expected topic, as for queue "a"'],
  ["default", 'queues is "default"; expected an array of queues'],
  [{ default: {} }, "queues is an object; expected an array of queues"],
])("refuses %j", (given, message) => {
  expect(() => new Topology(given as QueueOption[])).toThrow(expect.objectContaining({ code: "INVALID_OPTION", message }));
});

test("resolves as a scan over all bindings does", () => {
  const types = { d: "direct", f: "fanout" } as const;
  const bindings = fc.array(fc.record({ exchange: fc.constantFrom<"d" | "f">("d", "f"), routingKey: fc.constantFrom("x", "y", "z") }), {
    minLength: 1,
  });
  const worlds = fc.uniqueArray(fc.record({ name: fc.constantFrom("a", "b", "c", "e"), bindings }), { selector: ({ name }) => name });
  fc.assert(
    fc.property(worlds, fc.constantFrom("d", "f", "g"), fc.constantFrom("x", "y", "w"), (world, exchange, routingKey) => {
      const options = world.map(({ name, bindings }) => ({
        name,
        bindings: bindings.map((binding) => ({ ...binding, exchange: { name: binding.exchange, type: types[binding.exchange] } })),
      }));
      const expected = world.filter(({ bindings }) =>
        bindings.some((binding) => binding.exchange === exchange && (exchange === "f" || binding.routingKey === routingKey)),
      );
      expect(new Topology(options).resolve(exchange, routingKey)).toEqual(expected.map(({ name }) => name));
    }),
  );
});

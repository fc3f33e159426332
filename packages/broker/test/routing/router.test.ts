import { describe, expect, test } from "vitest";
import type { Destination } from "../../src/routing/destination.js";
import type { RouteTable } from "../../src/routing/route.js";
import { Router, type RouterOptions, type Routing } from "../../src/routing/router.js";
import { Topology } from "../../src/routing/topology.js";

const topology = new Topology([
  "default",
  { name: "for_task_A", exchange: "for_task_A", routingKey: "for_task_A" },
  { name: "for_task_B", exchange: "for_task_B", routingKey: "for_task_B" },
  { name: "imports", exchange: { name: "feeds", type: "topic" }, routingKey: "feeds.import.#" },
  { name: "feeds", exchange: "feeds", routingKey: "feeds.*" },
  { name: "left", exchange: { name: "everywhere", type: "fanout" } },
  { name: "right", exchange: "everywhere" },
]);

const routes: RouteTable = {
  "tasks.taskA": { queue: "for_task_A", routingKey: "for_task_A" },
  "tasks.taskB": "for_task_B",
  "feeds.*": { exchange: "feeds", routingKey: "feeds.import" },
  "clean.*": { priority: 8 },
};

function router(options: Partial<RouterOptions> = {}): Router {
  return new Router({ topology, routes, defaultQueue: "default", ...options });
}

const route = (task: string, call?: Destination, declared?: Destination) =>
  router().route({ task, args: [], ...(call && { call }), ...(declared && { declared }) });

const failing = (code: string, details: object = {}) => expect.objectContaining({ code, details: expect.objectContaining(details) });

describe("by route", () => {
  test.each<[task: string, routing: Routing]>([
    ["tasks.taskA", { queues: ["for_task_A"] }],
    ["tasks.taskB", { queues: ["for_task_B"] }],
    ["feeds.any", { queues: ["imports", "feeds"], exchange: "feeds", routingKey: "feeds.import" }],
    ["clean.up", { queues: ["default"], priority: 8 }],
    ["tasks.other", { queues: ["default"] }],
    ["constructor", { queues: ["default"] }],
    ["__proto__", { queues: ["default"] }],
  ])("%s", (task, routing) => {
    expect(route(task)).toEqual(routing);
  });

  test("functions see the arguments and the options of the call, and are asked each time", () => {
    const byArgument = router({ routes: (_, args, options) => `q-${String(args[0])}-${String(options["countdown"])}` });
    const call = { countdown: 5 } as Destination;
    expect(byArgument.route({ task: "t", args: [1], call }).queues).toEqual(["q-1-5"]);
    expect(byArgument.route({ task: "t", args: [2] }).queues).toEqual(["q-2-undefined"]);
  });
});

describe("precedence", () => {
  test("call over declaration over route", () => {
    expect(route("tasks.taskA", { queue: "c" }, { queue: "d" }).queues).toEqual(["c"]);
    expect(route("tasks.taskA", {}, { queue: "d" }).queues).toEqual(["d"]);
    expect(route("tasks.taskA", { exchange: "everywhere" }, { queue: "d" }).queues).toEqual(["left", "right"]);
    expect(route("feeds.x", {}, { queue: "d" })).toEqual({ queues: ["d"] });
  });

  test("a queue wins over an exchange of the same level", () => {
    expect(route("t", { queue: "c", exchange: "everywhere", routingKey: "k" })).toEqual({ queues: ["c"] });
  });

  test("a key of the call goes with the exchange of a lower level", () => {
    expect(route("feeds.x", { routingKey: "feeds.other" })).toEqual({ queues: ["feeds"], exchange: "feeds", routingKey: "feeds.other" });
    expect(route("t", { routingKey: "feeds.import.rss" }, { exchange: "feeds", routingKey: "feeds.other" }).queues).toEqual(["imports"]);
  });

  test("a key of the call has no effect on the queue of a lower level", () => {
    expect(route("tasks.taskB", { routingKey: "for_task_A" })).toEqual({ queues: ["for_task_B"] });
  });

  test("a key of a lower level is not for the exchange of a higher one", () => {
    expect(route("feeds.a", { exchange: "feeds" })).toEqual({ queues: ["feeds"], exchange: "feeds", routingKey: "feeds.a" });
  });

  test("the priority of the highest level that gives one, whoever names the queue", () => {
    expect(route("clean.up", { queue: "c" }).priority).toBe(8);
    expect(route("clean.up", { queue: "c" }, { priority: 3 }).priority).toBe(3);
    expect(route("clean.up", { priority: 0 }, { priority: 3 })).toEqual({ queues: ["default"], priority: 0 });
    expect(route("t", { queue: "c" })).not.toHaveProperty("priority");
  });
});

describe("keys", () => {
  test("the task's name is the default", () => {
    expect(route("feeds.import", { exchange: "feeds" }).routingKey).toBe("feeds.import");
    expect(router({ routes: {} }).route({ task: "for_task_A", args: [], declared: { exchange: "for_task_A" } }).queues).toEqual([
      "for_task_A",
    ]);
  });

  test("a fanout exchange needs none", () => {
    expect(route("t", { exchange: "everywhere" }).queues).toEqual(["left", "right"]);
    expect(route("t", { exchange: "everywhere", routingKey: "" })).toEqual({
      queues: ["left", "right"],
      exchange: "everywhere",
      routingKey: "",
    });
  });

  test("without any exchange they go to that of the default queue", () => {
    expect(route("t", { routingKey: "default" })).toEqual({ queues: ["default"], exchange: "default", routingKey: "default" });
    const imports = router({ defaultQueue: "imports" });
    expect(imports.route({ task: "t", args: [], declared: { routingKey: "feeds.import" } }).queues).toEqual(["imports", "feeds"]);
    expect(() => route("t", { routingKey: "other" })).toThrow(failing("UNROUTABLE", { exchange: "default", routingKey: "other" }));
  });

  test("the default queue need not be declared", () => {
    const undeclared = router({ topology: new Topology([]) });
    expect(undeclared.route({ task: "t", args: [] })).toEqual({ queues: ["default"] });
    expect(undeclared.route({ task: "t", args: [], call: { routingKey: "default" } }).queues).toEqual(["default"]);
  });
});

describe("errors", () => {
  test("UNROUTABLE: no queue for the key, or nobody declared the exchange", () => {
    expect(() => route("t", { exchange: "feeds", routingKey: "x" })).toThrow(
      failing("UNROUTABLE", { task: "t", exchange: "feeds", routingKey: "x" }),
    );
    expect(() => route("t", { exchange: "nobody" })).toThrow(failing("UNROUTABLE", { task: "t", exchange: "nobody", routingKey: "t" }));
    expect(() => route("t", { exchange: "constructor" })).toThrow(failing("UNROUTABLE"));
  });

  test("QUEUE_NOT_DECLARED, only with createMissingQueues off", () => {
    const strict = router({ createMissingQueues: false, topology: new Topology(["a", "b"]) });
    const refused = (queue: string) => failing("QUEUE_NOT_DECLARED", { queue, task: "t", declared: ["a", "b"] });
    expect(route("t", { queue: "missing" }).queues).toEqual(["missing"]);
    expect(strict.route({ task: "t", args: [], call: { queue: "b" } }).queues).toEqual(["b"]);
    expect(() => strict.route({ task: "t", args: [], call: { queue: "missing" } })).toThrow(refused("missing"));
    expect(() => strict.route({ task: "t", args: [] })).toThrow(refused("default"));
    expect(() => strict.route({ task: "t", args: [] })).toThrow(refused("default"));
    expect(() => strict.route({ task: "t", args: [], call: { routingKey: "a" } })).toThrow(refused("default"));
  });

  test("bad destinations", () => {
    expect(() => route("t", { queue: "a:b" })).toThrow(failing("INVALID_QUEUE_NAME", { queue: "a:b" }));
    expect(() => route("t", {}, { queue: "a b" })).toThrow(failing("INVALID_QUEUE_NAME", { queue: "a b" }));
    expect(() => route("t", { priority: 10 })).toThrow("priority is 10; expected an integer from 0 (first) to 9 (last)");
    expect(() => route("t", {}, { priority: Number.NaN })).toThrow(failing("INVALID_OPTION", { option: "priority" }));
    expect(() => route("t", { exchange: "" })).toThrow(failing("INVALID_OPTION", { option: "exchange" }));
    expect(() => route("t", { routingKey: 5 as unknown as string })).toThrow(failing("INVALID_OPTION", { option: "routingKey" }));
  });

  test("bad options", () => {
    expect(() => router({ defaultQueue: "a:b" })).toThrow(failing("INVALID_QUEUE_NAME", { queue: "a:b" }));
    expect(() => router({ routes: { a: { priority: 10 } } })).toThrow(failing("INVALID_OPTION", { option: 'routes["a"].priority' }));
  });
});

describe("the memory for ordinary calls", () => {
  test("answers the same, and not for another declaration", () => {
    const one = router();
    const ask = (declared?: Destination) => one.route({ task: "tasks.taskA", args: [], ...(declared && { declared }) });
    expect(ask()).toBe(ask());
    expect(ask({ priority: 2 })).toEqual({ queues: ["for_task_A"], priority: 2 });
    expect(ask({ queue: "other" })).toEqual({ queues: ["other"] });
    expect(ask()).toEqual({ queues: ["for_task_A"] });
  });

  test("does not go stale when a declaration is changed in place", () => {
    const one = router();
    const declared = { queue: "before" };
    expect(one.route({ task: "t", args: [], declared }).queues).toEqual(["before"]);
    declared.queue = "after";
    expect(one.route({ task: "t", args: [], declared }).queues).toEqual(["after"]);
  });

  test("cannot be spoiled by who got an answer", () => {
    const routing = router().route({ task: "feeds.x", args: [] });
    expect(Object.isFrozen(routing) && Object.isFrozen(routing.queues)).toBe(true);
  });

  test("holds out against any number of names", () => {
    const one = router();
    for (let index = 0; index < 5000; index++) {
      const task = `${index % 2 === 0 ? "feeds" : "clean"}.${index}`;
      expect(one.route({ task, args: [] }).queues.length).toBe(index % 2 === 0 ? 2 : 1);
    }
    expect(one.route({ task: "feeds.0", args: [] }).queues).toEqual(["imports", "feeds"]);
  });
});

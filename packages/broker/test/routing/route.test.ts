import { describe, expect, test } from "vitest";
import { type RouteTable, compileRoutes } from "../../src/routing/route.js";

const find = (given: RouteTable, task: string) => compileRoutes(given)(task, [], {});

describe("a record", () => {
  const routes: RouteTable = {
    "tasks.taskA": { queue: "for_task_A", routingKey: "for_task_A" },
    "tasks.taskB": "for_task_B",
    "feeds.*": { exchange: "feeds", routingKey: "feeds.import" },
  };

  test.each([
    ["tasks.taskA", { queue: "for_task_A", routingKey: "for_task_A" }],
    ["tasks.taskB", { queue: "for_task_B" }],
    ["feeds.import.rss", { exchange: "feeds", routingKey: "feeds.import" }],
    ["feeds", undefined],
    ["tasks.taskC", undefined],
  ])("%j", (task, expected) => {
    expect(find(routes, task)).toEqual(expected);
  });

  test("an exact name wins over patterns, wherever it stands; patterns go in the order written", () => {
    const routes = { "*": "all", "a.*": "a", "a.b": "exact" };
    expect(find(routes, "a.b")).toEqual({ queue: "exact" });
    expect(find(routes, "a.c")).toEqual({ queue: "all" });
    expect(find({ "a.*": "a", "*": "all" }, "a.c")).toEqual({ queue: "a" });
  });

  test("what objects inherit is no route", () => {
    for (const task of ["__proto__", "constructor", "toString", "hasOwnProperty"]) expect(find(routes, task)).toBeUndefined();
    expect(find({ ["__proto__"]: "own", constructor: "own" }, "__proto__")).toEqual({ queue: "own" });
    expect(find({ ["__proto__"]: "own", constructor: "own" }, "constructor")).toEqual({ queue: "own" });
    expect(find({ ["__proto__"]: "own" }, "toString")).toBeUndefined();
  });

  test("is read once", () => {
    const table: Record<string, string> = { a: "before" };
    const compiled = compileRoutes(table);
    table["a"] = "after";
    expect(compiled("a", [], {})).toEqual({ queue: "before" });
  });
});

describe("an array", () => {
  test("the first match wins, exact or not", () => {
    const routes: RouteTable = [
      ["a.*", "first"],
      ["a.b", "second"],
      ["*", { priority: 5 }],
    ];
    expect(find(routes, "a.b")).toEqual({ queue: "first" });
    expect(find(routes, "b")).toEqual({ priority: 5 });
  });

  test("may hold tables and functions: the first that gives a route wins", () => {
    const routes: RouteTable = [
      { "a.*": "table" },
      (task) => (task === "b" ? "function" : undefined),
      [
        ["b", "never"],
        ["c", "nested"],
      ],
      ["*", "last"],
    ];
    expect(["a.x", "b", "c", "d"].map((task) => find(routes, task)?.queue)).toEqual(["table", "function", "nested", "last"]);
  });

  test("an empty route ends the search", () => {
    expect(
      find(
        [
          ["a.b", {}],
          ["a.*", "a"],
        ],
        "a.b",
      ),
    ).toEqual({});
  });

  test("nothing matches in an empty one", () => {
    expect(find([], "a")).toBeUndefined();
  });
});

describe("a function", () => {
  test("is given the call and decides by it", () => {
    const compiled = compileRoutes((task, args, options) => ({ queue: `${task}-${String(args[0])}`, priority: options.priority ?? 9 }));
    expect(compiled("a", [1], { priority: 2 })).toEqual({ queue: "a-1", priority: 2 });
    expect(compiled("a", [2], {})).toEqual({ queue: "a-2", priority: 9 });
  });

  test("what it throws reaches the caller", () => {
    const failure = new RangeError("no route today");
    expect(() =>
      find(() => {
        throw failure;
      }, "a"),
    ).toThrow(failure);
  });

  test("what it gives is checked", () => {
    const give = (route: unknown) => () => find([["x", "y"], () => route as string], "feeds.import");
    expect(give("a:b")).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        message: 'routes[1]("feeds.import") is "a:b"; expected the name of a queue (it contains ":", which BullMQ refuses)',
      }),
    );
    expect(give({ priority: 10 })).toThrow('routes[1]("feeds.import").priority is 10');
    expect(give(Promise.resolve("q"))).toThrow('routes[1]("feeds.import") is a Promise');
    expect(give(null)).toThrow('routes[1]("feeds.import") is null');
  });
});

test("byName says whether the name alone decides", () => {
  expect(compileRoutes({ a: "b" }).byName).toBe(true);
  expect(compileRoutes([["a", "b"], { c: "d" }, [["e", "f"]]]).byName).toBe(true);
  expect(compileRoutes(() => undefined).byName).toBe(false);
  expect(compileRoutes([["a", "b"], [() => undefined]]).byName).toBe(false);
});

test("fields that are undefined are left out", () => {
  const route = { queue: "q", exchange: undefined, priority: undefined } as unknown as { queue: string };
  expect(Object.keys(find({ a: route }, "a") ?? {})).toEqual(["queue"]);
});

test.each<[given: unknown, message: string]>([
  [{ "feeds.*": { queue: "a b" } }, 'routes["feeds.*"].queue is "a b"; expected the name of a queue (it contains whitespace)'],
  [{ "feeds.*": "" }, 'routes["feeds.*"] is ""; expected the name of a queue (it is empty)'],
  [{ "feeds.*": { queue: 5 } }, 'routes["feeds.*"].queue is 5; expected the name of a queue (it is not a string)'],
  [{ a: { exchange: "" } }, 'routes["a"].exchange is ""; expected the name of an exchange'],
  [{ a: { exchange: { name: "e" } } }, 'routes["a"].exchange is an object; expected the name of an exchange'],
  [{ a: { routingKey: 1 } }, 'routes["a"].routingKey is 1; expected a string'],
  [{ a: { priority: 10 } }, 'routes["a"].priority is 10; expected an integer from 0 (first) to 9 (last)'],
  [{ a: { priority: -1 } }, 'routes["a"].priority is -1; expected an integer from 0 (first) to 9 (last)'],
  [{ a: { priority: 1.5 } }, 'routes["a"].priority is 1.5; expected an integer from 0 (first) to 9 (last)'],
  [{ a: { priority: "1" } }, 'routes["a"].priority is "1"; expected an integer from 0 (first) to 9 (last)'],
  [{ a: { queu: "q" } }, 'routes["a"].queu is no option; expected one of queue, exchange, routingKey, priority'],
  [{ a: ["q"] }, 'routes["a"] is an array; expected the name of a queue, or an object with a destination'],
  [{ a: undefined }, 'routes["a"] is undefined; expected the name of a queue, or an object with a destination'],
  [["feeds.*", "q"], 'routes[0] is "feeds.*"; expected a table of routes, an array of [pattern, route], or a function'],
  [[["feeds.*", { queue: ":" }]], 'routes[0][1].queue is ":"; expected the name of a queue (it contains ":", which BullMQ refuses)'],
  [[["feeds.*"]], "routes[0][1] is undefined; expected the name of a queue, or an object with a destination"],
  [[["a", "b", "c"]], "routes[0] is an array of 3; expected a pair of pattern and route"],
  [[[[{ a: 5 }]]], 'routes[0][0][0]["a"] is 5; expected the name of a queue, or an object with a destination'],
  [Array(1), "routes[0] is undefined; expected a table of routes, an array of [pattern, route], or a function"],
  [new Map([["a", "q"]]), "routes is a Map; expected a table of routes, an array of [pattern, route], or a function"],
  [{ __proto__: { a: "q" } }, "routes is an instance of a class; expected a table of routes, an array of [pattern, route], or a function"],
  ["q", 'routes is "q"; expected a table of routes, an array of [pattern, route], or a function'],
  [null, "routes is null; expected a table of routes, an array of [pattern, route], or a function"],
])("refuses %j", (given, message) => {
  expect(() => compileRoutes(given as RouteTable)).toThrow(expect.objectContaining({ code: "INVALID_OPTION", message }));
});

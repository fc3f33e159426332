import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BullrushError } from "../../src/errors/error.js";
import type { Destination } from "../../src/routing/destination.js";
import type { RouteTable } from "../../src/routing/route.js";
import { type RouteRequest, Router, type Routing } from "../../src/routing/router.js";
import { Topology } from "../../src/routing/topology.js";

const topology = new Topology([
  "default",
  "for_task_A",
  "for_task_B",
  { name: "imports", exchange: { name: "feeds", type: "topic" }, routingKey: "feeds.import.#" },
  { name: "feeds", exchange: "feeds", routingKey: "feeds.*" },
  { name: "left", exchange: { name: "everywhere", type: "fanout" } },
  { name: "right", exchange: "everywhere" },
]);

test("agrees with the obvious implementation", () => {
  const destinations = fc.record(
    {
      queue: fc.constantFrom("default", "for_task_A", "missing"),
      exchange: fc.constantFrom("default", "missing", "for_task_B", "feeds", "everywhere", "nobody"),
      routingKey: fc.constantFrom("default", "missing", "for_task_B", "feeds.import", "feeds.x", ""),
      priority: fc.integer({ min: 0, max: 9 }),
    },
    { requiredKeys: [] },
  );
  const tasks = fc.constantFrom("feeds.x", "for_task_B", "t");
  const requests = fc.array(fc.record({ task: tasks, call: destinations, declared: destinations }), { minLength: 1, maxLength: 20 });
  const settings = fc.record({
    table: fc.dictionary(tasks, destinations),
    asFunction: fc.boolean(),
    defaultQueue: fc.constantFrom("default", "feeds", "missing"),
    createMissingQueues: fc.boolean(),
  });
  fc.assert(
    fc.property(settings, requests, ({ table, asFunction, defaultQueue, createMissingQueues }, requests) => {
      const routes: RouteTable = asFunction ? (task) => table[task] : table;
      const one = new Router({ topology, routes, defaultQueue, createMissingQueues });
      for (const { task, call, declared } of requests) {
        const world: World = { defaultQueue, createMissingQueues };
        for (const given of [call, {}]) {
          const expected = routeObviously(world, task, [given, declared, table[task] ?? {}]);
          expect(attempt(one, { task, args: [], call: given, declared })).toEqual(expected);
        }
      }
    }),
    { numRuns: 500 },
  );
});

interface World {
  readonly defaultQueue: string;
  readonly createMissingQueues: boolean;
}

function attempt(one: Router, request: RouteRequest): Routing | string {
  try {
    return one.route(request);
  } catch (error) {
    if (error instanceof BullrushError) return error.code;
    throw error;
  }
}

/** The rules, read from the highest level to the lowest. */
function routeObviously({ defaultQueue, createMissingQueues }: World, task: string, levels: Destination[]): Routing | string {
  const exists = (queue: string) => createMissingQueues || topology.has(queue);
  let queue: string | undefined;
  let exchange: string | undefined;
  let routingKey: string | undefined;
  let priority: number | undefined;
  for (const level of levels) {
    priority ??= level.priority;
    if (queue !== undefined || exchange !== undefined) continue;
    routingKey ??= level.routingKey;
    queue = level.queue;
    exchange = level.exchange;
  }
  const withPriority = (routing: Routing) => (priority === undefined ? routing : { ...routing, priority });
  if (queue === undefined && exchange === undefined) {
    if (!exists(defaultQueue)) return "QUEUE_NOT_DECLARED";
    if (routingKey === undefined) queue = defaultQueue;
    else exchange = defaultQueue; // In this world the exchange of each default queue has its name.
  }
  if (queue !== undefined) return exists(queue) ? withPriority({ queues: [queue] }) : "QUEUE_NOT_DECLARED";
  const key = routingKey ?? task;
  const bindings: [queue: string, exchange: string, accepts: boolean][] = [
    ["default", "default", key === "default"],
    ["for_task_B", "for_task_B", key === "for_task_B"],
    ["imports", "feeds", key === "feeds.import"],
    ["feeds", "feeds", key.startsWith("feeds.")],
    ["left", "everywhere", true],
    ["right", "everywhere", true],
    ["missing", "missing", defaultQueue === "missing" && createMissingQueues && key === "missing"],
  ];
  const queues = bindings.filter(([, name, accepts]) => name === exchange && accepts).map(([name]) => name);
  return queues.length === 0 ? "UNROUTABLE" : withPriority({ queues, exchange: exchange!, routingKey: key });
}

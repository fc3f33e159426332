import { type Destination, compileDestination } from "./destination.js";
import { compileGlob, isGlob } from "./glob.js";
import { describe, entriesOf, refuse } from "./option.js";

/** Where a task goes: the name of a queue, or a destination. `{}` is a route too: it ends the search, and the defaults hold. */
export type Route = string | Destination;

/**
 * Chooses the route of a call by more than its name; `undefined` leaves it to whatever follows. It is asked for every call, must not change
 * what it is given, and what it throws reaches the caller.
 * @param options what the call says of its destination, and the other options that it was given
 */
export type RouteFunction = (
  task: string,
  args: readonly unknown[],
  options: Destination & { readonly [option: string]: unknown },
) => Route | undefined;

/**
 * Routes by task name. Patterns may have `*`, any run of characters. In a record an exact name wins over patterns, and these are
 * tried in the order written; in an array the first entry that gives a route wins. An entry may be a whole table or a function.
 */
export type RouteTable =
  | { readonly [pattern: string]: Route }
  | RouteFunction
  | readonly (readonly [pattern: string, route: Route] | RouteTable)[];

/** Routes ready for use: the destination for a call, or `undefined` if no route is for it. */
export interface Routes {
  (...call: Parameters<RouteFunction>): Destination | undefined;
  /** Whether the answer depends on the task's name alone, because there is no function among them. */
  readonly byName: boolean;
  /** The queues that they name, but for what a function gives, in the order written. */
  readonly queues: readonly string[];
}

/**
 * Checks and prepares routes, once. Throws `INVALID_OPTION`, naming the place, such as `routes["feeds.*"].queue`; what a function gives is
 * checked when it gives it, and named like `routes[1]("feeds.import").queue`.
 * @param option what errors call the whole
 */
export function compileRoutes(given: RouteTable, option = "routes"): Routes {
  if (typeof given === "function") return compileFunction(given, option);
  return Array.isArray(given) ? compileList(given, option) : compileRecord(given, option);
}

function compileFunction(choose: RouteFunction, option: string): Routes {
  return routesOf({ byName: false, queues: [] }, (task, args, options) => {
    const route = choose(task, args, options);
    return route === undefined ? undefined : compileDestination(route, `${option}(${describe(task)})`);
  });
}

function compileList(list: readonly unknown[], option: string): Routes {
  const entries = Array.from(list, (entry, index) => compileEntry(entry, `${option}[${index}]`));
  const byName = entries.every((entry) => entry.byName);
  const queues = entries.flatMap((entry) => entry.queues);
  return routesOf({ byName, queues }, (task, args, options) => {
    for (const entry of entries) {
      const found = entry(task, args, options);
      if (found !== undefined) return found;
    }
    return undefined;
  });
}

function compileEntry(entry: unknown, option: string): Routes {
  const [pattern, route, ...rest]: readonly unknown[] = Array.isArray(entry) ? entry : [];
  if (typeof pattern !== "string") return compileRoutes(entry as RouteTable, option);
  if (rest.length > 0) return refuse(option, `an array of ${rest.length + 2}`, "a pair of pattern and route");
  const matches = compileGlob(pattern);
  const destination = compileDestination(route, `${option}[1]`);
  return routesOf({ byName: true, queues: queuesIn([destination]) }, (task) => (matches(task) ? destination : undefined));
}

function compileRecord(record: unknown, option: string): Routes {
  const exact = new Map<string, Destination>();
  const all: Destination[] = [];
  const globs: { readonly matches: (task: string) => boolean; readonly destination: Destination }[] = [];
  for (const [pattern, route] of entriesOf(record, option, "a table of routes, an array of [pattern, route], or a function")) {
    const destination = compileDestination(route, `${option}[${describe(pattern)}]`);
    all.push(destination);
    if (isGlob(pattern)) globs.push({ matches: compileGlob(pattern), destination });
    else exact.set(pattern, destination);
  }
  const find = (task: string) => exact.get(task) ?? globs.find(({ matches }) => matches(task))?.destination;
  return routesOf({ byName: true, queues: queuesIn(all) }, find);
}

function queuesIn(destinations: readonly Destination[]): readonly string[] {
  return destinations.flatMap(({ queue }) => queue ?? []);
}

function routesOf(facts: Pick<Routes, "byName" | "queues">, find: (...call: Parameters<RouteFunction>) => Destination | undefined): Routes {
  return Object.assign(find, facts);
}

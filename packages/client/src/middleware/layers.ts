import type { RoutedMessage } from "@bullrush/broker";
import { checkOptions, isName, kindOf, refuse, type Check } from "../options/check.js";
import { HookCalls, type HookErrorListener } from "./hook-calls.js";
import { hookNames, type Hooks } from "./hooks.js";
import type { Middleware } from "./middleware.js";
import { publishThrough, toCall, type Part, type PublishLayer, type SendParts, type SendResults } from "./publish-through.js";

/** A middleware that surrounds runs. */
export type ExecuteLayer = Pick<Middleware, "name"> & { readonly execute: NonNullable<Middleware["execute"]> };

/** The middleware of an app. */
export class Layers {
  readonly #names = new Set<string>();
  readonly hooks: HookCalls;
  #publish: readonly PublishLayer[] = [];
  #execute: readonly ExecuteLayer[] | undefined;

  constructor(onError: HookErrorListener) {
    this.hooks = new HookCalls(onError);
  }

  /**
   * Adds a layer inside the existing ones. Throws `INVALID_OPTION` for a value that is not a
   * middleware, and for a name that is taken.
   */
  use(middleware: Middleware): void {
    checkMiddleware(middleware);
    const { name } = middleware;
    if (this.#names.has(name)) refuse(`middleware "${name}"`, "used twice in the app", "a middleware with a name of its own");
    this.#names.add(name);
    const publish = middleware.publish?.bind(middleware);
    const execute = middleware.execute?.bind(middleware);
    if (publish !== undefined) this.#publish = [...this.#publish, { name, publish }];
    if (execute !== undefined) this.#execute = [...(this.#execute ?? []), { name, execute }];
    this.hooks.add(middleware);
  }

  /** The middleware that surround runs, the outermost first; `undefined` if there are none. */
  get execute(): readonly ExecuteLayer[] | undefined {
    return this.#execute;
  }

  /** Whether sending has to pass through `surround()`. */
  get seeSending(): boolean {
    return this.#publish.length > 0 || this.hooks.has("sent");
  }

  /**
   * Sends messages through every `publish`, and calls `sent` for those that were confirmed. Returns
   * what `send` returns. Rejects with its error or a middleware's.
   * @param parts each message with its copies for further queues
   */
  async surround<P extends RoutedMessage>(parts: readonly Part<P>[], maxPayload: number, send: SendParts<P>): Promise<SendResults> {
    let sent = parts;
    const results = await publishThrough(this.#publish, parts, maxPayload, (changed) => {
      sent = changed;
      return send(changed);
    });
    if (this.hooks.has("sent")) {
      for (const [index, [first]] of sent.entries()) {
        if (results[index] === undefined) this.hooks.tell("sent", { call: toCall(first) });
      }
    }
    return results;
  }
}

const isFunction: Check = (value, option) => {
  if (typeof value !== "function") refuse(option, kindOf(value), "a function");
};

const hookChecks = Object.fromEntries(hookNames.map((name) => [name, isFunction])) as Record<keyof Hooks, Check>;

/** A class instance is allowed too, and may have further members. */
function checkMiddleware(input: unknown): asserts input is Middleware {
  if (typeof input !== "object" || input === null || Array.isArray(input)) refuse("what was given to use()", kindOf(input), "a middleware");
  const { name, publish, execute, on } = input as Readonly<Record<keyof Middleware, unknown>>;
  isName(name, '"name" of the middleware that was given to use()');
  const where = `of middleware "${String(name)}"`;
  if (publish !== undefined) isFunction(publish, `"publish" ${where}`);
  if (execute !== undefined) isFunction(execute, `"execute" ${where}`);
  if (on !== undefined) checkOptions(on, hookChecks, `in "on" ${where}`);
  if (publish === undefined && execute === undefined && on === undefined) {
    refuse(`middleware "${String(name)}"`, "without publish, execute and on", "at least one of them");
  }
}

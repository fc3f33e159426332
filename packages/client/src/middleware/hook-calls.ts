import type { HookEvent, Hooks } from "./hooks.js";
import { hookNames } from "./hooks.js";
import type { Middleware } from "./middleware.js";

/**
 * Called with a hook that throws, rejects or hangs: a text, the same for each failure of one hook,
 * and the reason.
 */
export type HookErrorListener = (text: string, cause: unknown) => void;

/** Maximum number of concurrent calls of one hook; it misses further events. */
const maxPending = 1000;

/** A hook that has not ended after this time counts as hanging, in ms. */
const hangTimeout = 10_000;

/** One hook of one middleware. Nothing waits for it. */
class HookCall<Name extends keyof Hooks> {
  readonly #run: (event: HookEvent<Name>) => unknown;
  readonly #text: string;
  readonly #onError: HookErrorListener;
  #pending = 0;
  #watched = false;

  constructor(text: string, run: (event: HookEvent<Name>) => unknown, onError: HookErrorListener) {
    this.#text = text;
    this.#run = run;
    this.#onError = onError;
  }

  call(event: HookEvent<Name>): void {
    if (this.#pending >= maxPending) return this.#onError(`${this.#text} is skipped`, `${maxPending} calls of it have not ended`);
    try {
      const returned = this.#run(event);
      if (isThenable(returned)) this.#follow(returned);
    } catch (error) {
      this.#fail(error);
    }
  }

  #follow(returned: PromiseLike<unknown>): void {
    this.#pending++;
    const watch = this.#watched ? undefined : this.#watch();
    const ended = () => {
      this.#pending--;
      if (watch === undefined) return;
      clearTimeout(watch);
      this.#watched = false;
    };
    returned.then(ended, (error: unknown) => {
      ended();
      this.#fail(error);
    });
  }

  /** Only one call at a time is watched. */
  #watch(): NodeJS.Timeout {
    this.#watched = true;
    return setTimeout(() => {
      this.#watched = false;
      this.#onError(`${this.#text} hangs`, `it has not ended after ${hangTimeout} ms`);
    }, hangTimeout).unref();
  }

  #fail(error: unknown): void {
    this.#onError(`${this.#text} failed`, error);
  }
}

/** The hooks of an app, by name, in the order in which they were added. */
export class HookCalls {
  readonly #calls: { [Name in keyof Hooks]?: HookCall<Name>[] } = {};
  readonly #onError: HookErrorListener;

  constructor(onError: HookErrorListener) {
    this.#onError = onError;
  }

  add({ name, on = {} }: Middleware): void {
    for (const hook of hookNames) this.#add(name, hook, on[hook] as ((event: HookEvent<typeof hook>) => unknown) | undefined, on);
  }

  /** Whether any hook has this name. Events without a hook are not created. */
  has(hook: keyof Hooks): boolean {
    return this.#calls[hook] !== undefined;
  }

  /** Whether any hook is called when runs end. */
  get seesEnds(): boolean {
    return endings.some((hook) => this.has(hook));
  }

  /** Calls each hook of this name. Never throws, and waits for none of them. */
  tell<Name extends keyof Hooks>(hook: Name, event: HookEvent<Name>): void {
    for (const call of this.#calls[hook] ?? []) call.call(event);
  }

  #add<Name extends keyof Hooks>(
    middleware: string,
    hook: Name,
    run: ((event: HookEvent<Name>) => unknown) | undefined,
    on: Partial<Hooks>,
  ): void {
    if (run === undefined) return;
    const call = new HookCall<Name>(`the hook "${hook}" of middleware "${middleware}"`, run.bind(on), this.#onError);
    const calls: HookCall<Name>[] = this.#calls[hook] ?? [];
    calls.push(call);
    (this.#calls as Record<Name, HookCall<Name>[]>)[hook] = calls;
  }
}

const endings = ["succeeded", "failed", "retried", "revoked", "rejected"] as const;

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

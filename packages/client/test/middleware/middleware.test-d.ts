import { expectTypeOf, test } from "vitest";
import {
  createApp,
  type App,
  type Execution,
  type Hooks,
  type Middleware,
  type Outcome,
  type PublishCall,
  type PublishResults,
} from "../../src/index.js";

const app = createApp();

test("use() returns the app, and infers the arguments of a middleware", () => {
  const used = app.use({
    name: "m",
    publish: (calls, next) => {
      expectTypeOf(calls).toEqualTypeOf<readonly PublishCall[]>();
      expectTypeOf(next(calls)).toEqualTypeOf<Promise<PublishResults>>();
      return next(calls.map((call) => ({ ...call, headers: { ...call.headers, tenant: "a" } })));
    },
    execute: (execution, next) => {
      expectTypeOf(execution).toEqualTypeOf<Execution>();
      expectTypeOf(next(execution)).toEqualTypeOf<Promise<Outcome>>();
      return next(execution);
    },
    on: {
      retried: ({ outcome }) => expectTypeOf(outcome.eta).toEqualTypeOf<Date>(),
      failed: async ({ outcome, execution, ms }) => {
        expectTypeOf(outcome.failure.message).toEqualTypeOf<string>();
        expectTypeOf(execution).toEqualTypeOf<Execution>();
        expectTypeOf(ms).toEqualTypeOf<number>();
      },
    },
  });
  expectTypeOf(used).toEqualTypeOf<App>();
});

test("invalid middleware: refused by the compiler", () => {
  // @ts-expect-error: a middleware has a name.
  app.use({ execute: (execution, next) => next(execution) });
  // @ts-expect-error: no hook of this name.
  app.use({ name: "m", on: { suceeded: () => {} } });
  // @ts-expect-error: the results of next() are missing.
  app.use({ name: "m", publish: async (calls, next) => void (await next(calls)) });
  // @ts-expect-error: an outcome is missing.
  app.use({ name: "m", execute: async (execution, next) => void (await next(execution)) });
  expectTypeOf<Middleware["on"]>().toEqualTypeOf<Partial<Hooks> | undefined>();
});

test("a call that is to be sent cannot be changed in place", () => {
  app.use({
    name: "m",
    publish: (calls, next) => {
      for (const call of calls) {
        // @ts-expect-error: copies are changed, not the calls.
        call.headers = {};
        // @ts-expect-error: nor what a call has by its id.
        call.id = "x";
      }
      return next(calls);
    },
  });
});

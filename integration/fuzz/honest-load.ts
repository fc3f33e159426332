import { createHash } from "node:crypto";
import { chain, chord, group, type App, type TaskStub } from "@bullrush/client";
import * as fc from "fast-check";

/** A call that has to end right, and how many tasks it is. */
export interface HonestCall {
  readonly kind: string;
  readonly tasks: number;
  /**
   * Sends it. What it resolves to waits until it has ended, and resolves to why that is wrong, or
   * to nothing.
   */
  readonly send: (app: App) => Promise<() => Promise<string | undefined>>;
}

type Numbers = readonly [number, number, number];

/** Long enough for a slow machine, and not for ever. */
const timeout = "60s";

interface Gettable {
  get(options: { readonly timeout: typeof timeout }): Promise<unknown>;
}

const stub = (app: App, task: string) => app.stub<((...args: unknown[]) => unknown) & TaskStub>(task);

function expecting(sending: (app: App) => unknown, expected: unknown): HonestCall["send"] {
  return async (app) => {
    const result = (await sending(app)) as Gettable;
    return async () => {
      const value = await result.get({ timeout });
      const [got, wanted] = [JSON.stringify(value), JSON.stringify(expected)];
      return got === wanted ? undefined : `is ${got}, not ${wanted}`;
    };
  };
}

const mix = (...args: readonly unknown[]) => createHash("sha1").update(JSON.stringify(args)).digest("hex").slice(0, 10);

const kinds: Readonly<Record<string, (numbers: Numbers, index: number) => Omit<HonestCall, "kind">>> = {
  plain: ([a, b]) => ({ tasks: 1, send: expecting((app) => app.sendTask("add", [a, b]), a + b) }),
  priority: ([a, b, c]) => ({ tasks: 1, send: expecting((app) => app.sendTask("add", [a, b], { priority: c % 10 }), a + b) }),
  countdown: ([a, b, c]) => ({ tasks: 1, send: expecting((app) => app.sendTask("add", [a, b], { countdown: 1 + c * 5 }), a + b) }),
  retry: ([a]) => ({ tasks: 1, send: expecting((app) => app.sendTask("flaky", [1 + (a % 3)]), 1 + (a % 3)) }),
  chain: ([a, b, c]) => ({
    tasks: 3,
    send: expecting((app) => chain(stub(app, "add").s(a, b), stub(app, "add").s(c), stub(app, "mix").s()).delay(), mix(a + b + c)),
  }),
  group: ([a, b, c]) => ({
    tasks: 3,
    send: expecting((app) => group([a, b, c].map((one) => stub(app, "add").s(one, 1))).delay(), [a + 1, b + 1, c + 1]),
  }),
  chord: ([a, b, c]) => ({
    tasks: 4,
    send: expecting(
      (app) =>
        chord(
          [a, b, c].map((one) => stub(app, "add").s(one, 1)),
          stub(app, "sum").s(),
        ).delay(),
      a + b + c + 3,
    ),
  }),
  ignored: (_, index) => ({
    tasks: 1,
    send: async (app) => {
      await app.sendTask("note", [index], { ignoreResult: true });
      return async () => undefined;
    },
  }),
  failing: () => ({
    tasks: 1,
    send: async (app) => {
      const result = await app.sendTask("broken");
      return async () => {
        const { state } = await result.get({ timeout, propagate: false });
        return state === "FAILURE" ? undefined : `is ${state}, not FAILURE`;
      };
    },
  }),
};

const weights: Readonly<Record<string, number>> = {
  plain: 8,
  priority: 2,
  countdown: 1,
  retry: 1,
  chain: 1,
  group: 1,
  chord: 1,
  ignored: 2,
  failing: 1,
};

const choice = fc.record({
  kind: fc.oneof(...Object.keys(kinds).map((kind) => ({ weight: weights[kind] ?? 1, arbitrary: fc.constant(kind) }))),
  numbers: fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99)),
});

/** Calls of at least `tasks` tasks in all, the same for the same seed. */
export function honestCalls(tasks: number, seed: number): readonly HonestCall[] {
  const calls: HonestCall[] = [];
  let left = tasks;
  for (const { kind, numbers } of fc.sample(choice, { numRuns: tasks, seed })) {
    if (left <= 0) break;
    const call = { kind, ...(kinds[kind] as (typeof kinds)[string])(numbers, calls.length) };
    left -= call.tasks;
    calls.push(call);
  }
  return calls;
}

/** Numbers of those of the calls that leave a note instead of a result. */
export function notesOf(calls: readonly HonestCall[]): readonly number[] {
  return calls.flatMap(({ kind }, index) => (kind === "ignored" ? [index] : []));
}

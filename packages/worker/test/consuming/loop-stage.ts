import { memoryEngine, MovableClock, type Delivery, type Outcome } from "@bullrush/broker";
import { createApp, type App } from "@bullrush/client";
import { ThrottledLog } from "@bullrush/program";
import { pino } from "pino";
import { onTestFinished, vi } from "vitest";
import { FetchLoop, type FetchLoopOptions } from "../../src/consuming/fetch-loop.js";
import type { Execution } from "../../src/execution/execution.js";
import { Executor } from "../../src/execution/executor.js";

export interface LoopStageOptions {
  readonly concurrency: number;
  /** Default: what messages say of their flows is true. */
  readonly vouched?: FetchLoopOptions["vouched"];
}

export interface LoopStage {
  readonly app: App;
  readonly clock: MovableClock;
  readonly loop: FetchLoop;
  /** What runs, by the first argument of its call; each ends when the test says so. */
  readonly running: ReadonlyMap<unknown, Run>;
  /** What the guard was told to hold, and not to release. */
  readonly guarded: ReadonlySet<Delivery>;
  /** How the loop told that deliveries ended: their first arguments and their outcomes. */
  readonly told: readonly (readonly [unknown, Outcome["type"]])[];
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Sends a call of a task, which is `work` or `once`, with this argument. */
  readonly send: (argument: unknown, task?: "work" | "once") => Promise<string>;
  /** Resolves when `holds` does. */
  readonly until: (holds: () => unknown) => Promise<void>;
}

export interface Run {
  readonly execution: Execution;
  end(outcome: Outcome): void;
}

export const succeeded: Outcome = { type: "succeeded", result: "1" };
export const failed: Outcome = { type: "failed", failure: { name: "Error", message: "no" } };

/** A worker's loop on an engine in memory, with the tasks `work` and `once`, which must not run twice; the test ends their runs. */
export async function loopStage({ concurrency, vouched = async (deliveries) => deliveries }: LoopStageOptions): Promise<LoopStage> {
  const clock = new MovableClock();
  const app = createApp({ engine: memoryEngine({ clock }) });
  app.task("work", () => undefined);
  app.task("once", { delivery: "at-most-once" }, () => undefined);
  const consumer = app.engine.consume({ queues: [{ name: "default" }], order: "round-robin", lease: 60_000, worker: "w" });
  await consumer.open();
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const running = new Map<unknown, Run>();
  const guarded = new Set<Delivery>();
  const told: (readonly [unknown, Outcome["type"]])[] = [];
  const run = (execution: Execution) =>
    new Promise<Outcome>((resolve) => {
      execution.onBegin?.();
      const [argument] = execution.message.args;
      running.set(argument, {
        execution,
        end: (outcome) => {
          running.delete(argument);
          resolve(outcome);
        },
      });
    });
  const executor = new Executor({
    tasks: app.tasks,
    results: app.engine.results,
    startFlow: (flow) => app.engine.flows.begin(flow),
    surroundFlow: (flow, send) => send(flow),
    begin: (delivery) => consumer.begin(delivery),
    onBegin: () => undefined,
    run,
    sharesProcess: true,
    worker: "w",
    resultExpires: 60_000,
    clock,
    random: () => 0,
    log,
    rest: (queue, pause) => consumer.backOff(queue, pause),
    unregisteredGrace: 0,
  });
  const loop = new FetchLoop({
    consumer,
    executor,
    vouched,
    guard: {
      hold: (deliveries) => deliveries.forEach((delivery) => guarded.add(delivery)),
      release: (delivery) => void guarded.delete(delivery),
    },
    concurrency,
    clock,
    log,
    trouble: new ThrottledLog(log, clock),
    tellEnd: () => (delivery, outcome) => void told.push([argumentOf(delivery), outcome.type]),
    timing: clock,
  });
  onTestFinished(async () => {
    await loop.stop(AbortSignal.abort(), AbortSignal.abort());
    await app.close();
  });
  loop.start();
  return {
    app,
    clock,
    loop,
    running,
    guarded,
    told,
    lines,
    send: async (argument, task = "work") => (await app.sendTask(task, [argument])).id,
    until: (holds) =>
      vi.waitFor(
        async () => {
          if (!(await holds())) throw new Error("not yet");
        },
        { timeout: 20_000, interval: 1 },
      ),
  };
}

function argumentOf({ content }: Delivery): unknown {
  return content.type === "undecodable" ? undefined : content.message.args[0];
}

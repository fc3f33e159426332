import { systemClock, type BullrushError } from "@bullrush/broker";
import { outsideTask, type App } from "@bullrush/client";
import type { OutputCapture } from "@bullrush/program";
import type { Logger } from "pino";
import { ExecutionContext, type ContextSource } from "../execution/context.js";
import type { Execution } from "../execution/execution.js";
import type { Dependencies } from "../execution/retry.js";
import type { SlotLender } from "../execution/slot-lender.js";
import { stateStore } from "../execution/state-store.js";
import type { TimeLimits } from "../execution/time-limits.js";
import { inlinePool } from "./inline.js";
import { levelFor } from "./lines.js";
import type { CompiledPoolOptions } from "./options.js";
import { ownFile } from "../own-file.js";
import { missingPool } from "./missing.js";
import type { Pool } from "./pool.js";
import { debugPorts } from "./debug-ports.js";
import { launchProcess } from "./processes.js";
import { RunnerPool } from "./runner-pool.js";
import { launchThread } from "./threads.js";
import { warnOfWaits } from "./waits.js";

/** How long tasks may run that have no limits of their own, in ms. */
export interface CompiledLimits {
  readonly timeLimit: number | undefined;
  readonly softTimeLimit: number | undefined;
}

export interface PoolSurroundings {
  readonly app: App;
  /** Name of the worker. */
  readonly worker: string;
  readonly log: Logger;
  /** What takes the output of tasks of this process, if anything does. */
  readonly capture?: OutputCapture | undefined;
  /** What lends the slots of tasks that wait; `undefined` while there is none. */
  readonly lender: () => SlotLender | undefined;
  /** Hears, at most once, that the pool cannot go on. */
  readonly onFailure: (error: BullrushError) => void;
  /** Whether debuggers may attach to processes too, if they may to this one. Default: if Node was started with `--inspect`. */
  readonly inspect?: boolean | undefined;
}

/** The pool that `options` ask for. */
export function createPool(
  options: CompiledPoolOptions & CompiledLimits,
  { app, worker, log, capture, lender, onFailure, inspect }: PoolSurroundings,
): Pool {
  const { pool, module, concurrency, autoscale, maxTasksPerChild: maxTasks, maxMemoryPerChild: maxMemory, fullStacks } = options;
  const storeState = stateStore(app, worker, log);
  const { broker, backend, maxPayload } = app.options;
  const limits: TimeLimits = { soft: options.softTimeLimit, hard: options.timeLimit };
  if (pool === "inline" || module === undefined) {
    const source: ContextSource<Execution> = {
      worker,
      log,
      maxPayload,
      storeState,
      limits,
      addToChord: (signature, member, ordinal) => app.addToChord(signature, member, ordinal),
      ...waitsOf(lender),
    };
    const surroundings: Dependencies = {
      maxPayload,
      clock: app.engine.clock ?? systemClock,
      random: Math.random,
      fullStacks,
      replacementOf: (canvas, message, queue) => app.replacementOf(canvas, message, queue),
    };
    return inlinePool(
      (execution) => new ExecutionContext(execution, source, execution.definition.options),
      surroundings,
      app.layers,
      capture && ((context) => capture.flush(context)),
    );
  }
  const file = ownFile(`pool/inside/${pool === "threads" ? "thread" : "process"}.js`, import.meta.url);
  if (file === undefined) return missingPool(pool);
  // What is no URL is in the module itself, and may be of a kind that cannot be sent.
  const locations = { ...(typeof broker === "string" && { broker }), ...(typeof backend === "string" && { backend }) };
  return new RunnerPool({
    runner: {
      launch: pool === "threads" ? launchThread(file) : launchProcess(file, debugPorts(inspect)),
      load: {
        type: "load",
        module,
        ...locations,
        worker,
        pool,
        level: levelFor(log),
        fullStacks,
        limits,
        captureConsole: capture !== undefined,
      },
      onWait: warnOfWaits(pool, log),
      storeState,
      log,
    },
    min: autoscale?.min ?? concurrency,
    idle: autoscale?.idle ?? 0,
    maxTasks,
    maxMemory,
    log,
    onFailure,
  });
}

/** How tasks tell that they wait. The worker's loop goes on from there, and is not to run in the asynchronous context of a task. */
function waitsOf(lender: PoolSurroundings["lender"]): Pick<ContextSource<Execution>, "onWait" | "onPoll"> {
  return {
    onWait: (execution, awaited) => {
      const loan = outsideTask(() => lender()?.wait(execution, awaited));
      return loan && { regain: () => outsideTask(() => loan.regain()) };
    },
    onPoll: (execution, id, ended, awaited) => outsideTask(() => lender()?.poll(execution, id, ended, awaited)),
  };
}

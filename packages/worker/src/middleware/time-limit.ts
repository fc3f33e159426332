import { BullrushError, maxTimerDelay, systemTiming, toFailure, type Outcome, type Timing } from "@bullrush/broker";
import { SoftTimeLimitExceeded } from "@bullrush/client";
import type { Execution } from "../execution/execution.js";
import { timeLimitsOf, type TimeLimits } from "../execution/time-limits.js";
import type { LoopGuard } from "../guard/loop-guard.js";
import type { Middleware, Run } from "./middleware.js";

type LimitGuard = Pick<LoopGuard, "limit" | "unlimit">;

/**
 * Ends what runs for too long. The limits are those of the call, else those of the task, else `defaults`. The hard one is the guard's as well, if there is one: while a task blocks the event loop, no timer
 * fires. Default of `timing`: the system's.
 */
export function timeLimit(defaults: TimeLimits, guard?: LimitGuard, timing: Pick<Timing, "setTimer"> = systemTiming): Middleware {
  return (execution, next) => {
    const { message, definition } = execution;
    const { soft, hard } = timeLimitsOf(message, definition.options, defaults);
    return soft === undefined && hard === undefined ? next(execution) : runLimited(execution, { soft, hard }, next, { guard, timing });
  };
}

async function runLimited(
  execution: Execution,
  { soft, hard }: TimeLimits,
  next: Run,
  { guard, timing }: { readonly guard: LimitGuard | undefined; readonly timing: Pick<Timing, "setTimer"> },
): Promise<Outcome> {
  const { delivery } = execution;
  const task = execution.message.task;
  // What is asked for here is how the task ends, which those outside want to hear of; a stop of theirs is not.
  const stop = execution.stop.branch();
  const timers: NodeJS.Timeout[] = [];
  let isOver = false;
  const set = (limit: number | undefined, ring: (limit: number) => void) => {
    if (limit !== undefined) timers.push(timing.setTimer(() => void (isOver || ring(limit)), Math.min(limit, maxTimerDelay)));
  };
  const ended = new Promise<Outcome>((resolve) => {
    const onBegin = () => {
      execution.onBegin?.();
      if (hard !== undefined) guard?.limit(delivery, hard);
      set(soft, (limit) => stop.request(new SoftTimeLimitExceeded(task, limit)));
      set(hard, (limit) => {
        const error = new BullrushError("TIME_LIMIT_EXCEEDED", { task, limit });
        const { stack: _, ...failure } = toFailure(error);
        stop.kill(error);
        // Inline the function runs on: what it comes to is nobody's.
        resolve({ type: "failed", failure });
      });
    };
    void next({ ...execution, stop, onBegin }).then(resolve);
  });
  try {
    return await ended;
  } finally {
    isOver = true;
    guard?.unlimit(delivery);
    for (const timer of timers) clearTimeout(timer);
  }
}

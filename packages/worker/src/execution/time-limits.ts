import { toMilliseconds, type Duration, type Message } from "@bullrush/broker";
import type { TaskOptions } from "@bullrush/client";

/** How long a task may run, in ms from the beginning of its function: until its signal aborts, and until it is killed. */
export interface TimeLimits {
  readonly soft: number | undefined;
  readonly hard: number | undefined;
}

/** The limits of one run: those of the call, else those of the task, else `defaults`. */
export function timeLimitsOf(message: Message, options: TaskOptions, defaults: TimeLimits): TimeLimits {
  return {
    soft: message.softTimeLimit ?? declared(options.softTimeLimit) ?? defaults.soft,
    hard: message.timeLimit ?? declared(options.timeLimit) ?? defaults.hard,
  };
}

function declared(limit: Duration | undefined): number | undefined {
  return limit === undefined ? undefined : toMilliseconds(limit, "limit");
}

import type { Clock, Consumer, Results } from "@bullrush/broker";
import type { TaskDefinition } from "@bullrush/client";
import type { Logger } from "pino";
import type { Check, Requeue } from "./check.js";
import { concluded } from "./concluded.js";
import { crashLimit } from "./crash-limit.js";
import { expired } from "./expired.js";
import { finished } from "./finished.js";
import { Grace } from "./grace.js";
import { revoked } from "./revoked.js";
import { startCounted } from "./start-counted.js";
import { undecodable } from "./undecodable.js";
import { unknownTask, unregistered, type UnknownTask } from "./unregistered.js";

export interface ChecksOptions {
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly results: Results;
  /** Counts that a delivery begins to run, and resolves with whether it is still on loan. */
  readonly begin: Consumer["begin"];
  /** Name of the worker. */
  readonly worker: string;
  /** How long results are kept unless their task says otherwise, in ms. */
  readonly resultExpires: number;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Logger;
  /** Leaves a queue alone for a while, in ms, because nothing that it holds can be run now. */
  readonly rest: (queue: string, pause: number) => void;
  /** How long messages are put back that no task here is for, or that are of a newer version, in ms. */
  readonly unregisteredGrace: number;
}

/** What a delivery passes before it runs, in this order, and what becomes of one whose task is found to be missing only where it should run. */
export function createChecks(
  options: ChecksOptions,
  requeue: Requeue,
): { readonly checks: readonly Check[]; readonly unknownTask: UnknownTask } {
  const { tasks, results, clock, log, unregisteredGrace } = options;
  const grace = new Grace({ ...options, grace: unregisteredGrace });
  const unknown = unknownTask(grace);
  const checks = [
    revoked(results),
    undecodable(grace),
    concluded(log),
    unregistered(tasks, unknown),
    finished({ ...options, requeue }),
    // Only now: whoever died may have stored its result before.
    crashLimit,
    expired(clock),
    startCounted({ ...options, requeue }),
  ];
  return { checks, unknownTask: unknown };
}

import { systemClock, type Clock, type OnConnectionError } from "@bullrush/broker";
import { openRevoke } from "../control/revoke.js";
import type { ResultSource } from "../result/reference.js";
import { ResultWaiter } from "../result/waiter.js";
import type { TaskDefinition } from "../task/task.js";
import { engineFor } from "./engine-for.js";
import type { CompiledOptions } from "./options.js";

/**
 * Called with the ids of the tasks and flows that a call or a canvas was sent as. The sender waits until it resolves, and rejects
 * if it does. @internal
 */
export type WhenSent = (ids: readonly string[]) => Promise<void>;

/** An app's engine, and what stands on it. Each connection is made at its first use. */
export interface Connected extends ResultSource {
  /** The time of the engine. */
  readonly clock: Clock;
  /** Default: the sender waits for nothing but the broker. */
  readonly whenSent?: WhenSent | undefined;
}

export function connect(
  optionsNow: () => CompiledOptions,
  tasks: ReadonlyMap<string, TaskDefinition>,
  onConnectionError: OnConnectionError,
  whenSent?: WhenSent,
): Connected {
  const { engine: given, resultExpires } = optionsNow();
  const engine = given ?? engineFor(optionsNow());
  engine.onConnectionError(onConnectionError);
  const lifetimeOf = (task = "") => tasks.get(task)?.resultExpires ?? resultExpires;
  const { clock = systemClock } = engine;
  return {
    engine,
    clock,
    whenSent,
    revoke: openRevoke({ engine, lifetimeOf, clock }),
    waiter: new ResultWaiter(engine.results, engine.queues),
    // Tasks that are declared later may name further queues.
    get options() {
      return optionsNow();
    },
  };
}

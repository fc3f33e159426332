import { systemClock, type OnConnectionError } from "@bullrush/broker";
import { openRevoke } from "../control/revoke.js";
import type { ResultSource } from "../result/reference.js";
import { ResultWaiter } from "../result/waiter.js";
import type { TaskDefinition } from "../task/task.js";
import { engineFor } from "./engine-for.js";
import type { CompiledOptions } from "./options.js";

/** An app's engine, and the parts that use it. Each connection is made at its first use. */
export type Connected = ResultSource;

export function connect(
  optionsNow: () => CompiledOptions,
  tasks: ReadonlyMap<string, TaskDefinition>,
  onConnectionError: OnConnectionError,
): Connected {
  const { engine: given, resultExpires } = optionsNow();
  const engine = given ?? engineFor(optionsNow());
  engine.onConnectionError(onConnectionError);
  const lifetimeOf = (task = "") => tasks.get(task)?.resultExpires ?? resultExpires;
  return {
    engine,
    revoke: openRevoke({ engine, lifetimeOf, clock: systemClock }),
    waiter: new ResultWaiter(engine.results, engine.queues),
    // Tasks that are declared later may name further queues.
    get options() {
      return optionsNow();
    },
  };
}

import { compileLocation, redisEngine, systemClock, type Engine } from "@bullrush/broker";
import { openRevoke } from "../control/revoke.js";
import type { ResultSource } from "../result/reference.js";
import { ResultWaiter } from "../result/waiter.js";
import type { TaskDefinition } from "../task/task.js";
import type { CompiledOptions } from "./options.js";

/** Calls that a service fails: the broker, or the result backend. */
export type OnTrouble = (service: "broker" | "backend", reason: string) => void;

/** An app's engine, and what stands on it. Each connection is made at its first use. */
export type Connected = ResultSource;

export function connect(optionsNow: () => CompiledOptions, tasks: ReadonlyMap<string, TaskDefinition>, onTrouble: OnTrouble): Connected {
  const { engine: given, resultExpires } = optionsNow();
  const engine = given ?? openEngine(optionsNow(), onTrouble);
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

/** The engine that the URLs of the options ask for. */
function openEngine(options: CompiledOptions, onTrouble: OnTrouble): Engine {
  const { name, broker, backend, prefix, publishTimeout: deadline, maxPayload, bullmqEvents } = options;
  for (const warning of new Set([broker, backend].flatMap((one) => compileLocation(one).warning ?? []))) {
    process.emitWarning(warning, { type: "BullrushWarning", code: "BULLRUSH_UNCHECKED_CERTIFICATE" });
  }
  return redisEngine({ app: name, broker, backend, prefix, deadline, maxPayload, bullmqEvents, onTrouble });
}

import {
  bullmqTransport,
  compileLocation,
  DeadLinks,
  longestMessageOf,
  redisControlBus,
  redisResultBackend,
  redisScheduleStore,
  systemClock,
  type ControlBus,
  type ResultBackend,
  type ScheduleStore,
  type Transport,
} from "@bullrush/broker";
import { openRevoke } from "../control/revoke.js";
import type { ResultSource } from "../result/reference.js";
import { ResultWaiter } from "../result/waiter.js";
import type { TaskDefinition } from "../task/task.js";
import type { CompiledOptions } from "./options.js";

/** What an app has opened. Each connection is made at its first use. */
export interface Connected extends ResultSource {
  readonly transport: Transport;
  readonly backend: ResultBackend;
  readonly control: ControlBus;
  readonly schedules: ScheduleStore;
}

export function connect(
  optionsNow: () => CompiledOptions,
  tasks: ReadonlyMap<string, TaskDefinition>,
  onTrouble: (service: "broker" | "backend", reason: string) => void,
): Connected {
  const { name, broker, backend: location, prefix, publishTimeout: deadline, maxPayload, resultExpires, bullmqEvents } = optionsNow();
  for (const warning of new Set([broker, location].flatMap((one) => compileLocation(one).warning ?? []))) {
    process.emitWarning(warning, { type: "BullrushWarning", code: "BULLRUSH_UNCHECKED_CERTIFICATE" });
  }
  const onBrokerTrouble = (reason: string) => onTrouble("broker", reason);
  const deadLinks = new DeadLinks();
  const backend = redisResultBackend({
    location,
    longestRecord: longestMessageOf(maxPayload),
    deadLinks,
    onTrouble: (reason) => onTrouble("backend", reason),
  });
  const transport = bullmqTransport({
    location: broker,
    backend,
    prefix,
    deadline,
    maxPayload,
    bullmqEvents,
    deadLinks,
    onTrouble: onBrokerTrouble,
  });
  const control = redisControlBus({ location: broker, prefix, deadLinks, onTrouble: onBrokerTrouble });
  const schedules = redisScheduleStore({
    location: broker,
    prefix,
    app: name,
    maxPayload,
    bullmqEvents,
    deadLinks,
    onTrouble: onBrokerTrouble,
  });
  const lifetimeOf = (task = "") => tasks.get(task)?.resultExpires ?? resultExpires;
  const revoke = openRevoke({ transport, backend, control, lifetimeOf, clock: systemClock });
  const waiter = new ResultWaiter(backend, transport);
  return {
    transport,
    backend,
    control,
    schedules,
    revoke,
    waiter,
    // Tasks that are declared later may name further queues.
    get options() {
      return optionsNow();
    },
  };
}

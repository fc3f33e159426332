import type { WorkerOptions } from "@bullrush/worker";
import { pino, type Logger } from "pino";

/**
 * Options of the workers of tests. Clocks are moved by days while tasks run, so leases last as long as they can. A task that is not
 * registered will not be: it fails at once.
 */
export function workerOptions(log: Logger | undefined): WorkerOptions {
  return { pool: "inline", lease: "24d", unregisteredGrace: 0, blockedLimit: 0, log: log ?? pino({ level: "silent" }) };
}

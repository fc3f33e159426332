import type { Consumer } from "@bullrush/broker";
import type { Logger } from "pino";
import { every, type Service } from "./service.js";

/** Puts back what dead workers had on loan: looks every third of a lease, so that a task runs again at most about two thirds of a lease after its lease has run out. */
export function recovery({
  consumer,
  lease,
  log,
}: {
  readonly consumer: Pick<Consumer, "recover">;
  readonly lease: number;
  readonly log: Logger;
}): Service {
  async function recover(stopped: AbortSignal): Promise<void> {
    try {
      const recovered = await consumer.recover();
      if (recovered > 0) log.warn({ recovered }, "tasks of a lost worker put back");
    } catch (error) {
      if (!stopped.aborted) log.debug({ reason: error instanceof Error ? error.message : String(error) }, "no scan for lost tasks");
    }
  }

  return every(lease / 3, (stopped) => void recover(stopped));
}

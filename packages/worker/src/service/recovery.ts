import type { Consumer } from "@bullrush/broker";
import type { Logger } from "pino";
import { every, type Service } from "./service.js";

/**
 * Puts back what dead workers had on loan. BullMQ looks twice before it does, so a task runs again at most two `scan` after its lease has
 * run out.
 */
export function recovery({
  consumer,
  scan,
  log,
}: {
  readonly consumer: Pick<Consumer, "recover">;
  /** Time between two looks, in ms. */
  readonly scan: number;
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

  return every(scan, (stopped) => void recover(stopped));
}

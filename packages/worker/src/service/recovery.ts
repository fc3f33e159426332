import type { Consumer } from "@bullrush/broker";
import type { Logger } from "pino";
import { every, type Service } from "./service.js";

/**
 * Puts back what dead workers had on loan. BullMQ looks twice before it does, so a task runs again at most two `scan` after its lease has
 * run out. Removes what is kept for too long as well.
 */
export function recovery({
  consumer,
  scan,
  log,
}: {
  readonly consumer: Pick<Consumer, "recover" | "droppedDeadLetters">;
  /** Time between two looks, in ms. */
  readonly scan: number;
  readonly log: Logger;
}): Service {
  async function recover(stopped: AbortSignal): Promise<void> {
    try {
      const recovered = await consumer.recover();
      if (recovered > 0) log.warn({ recovered }, "tasks of a lost worker put back");
      warnOfDropped();
    } catch (error) {
      if (!stopped.aborted) log.debug({ reason: error instanceof Error ? error.message : String(error) }, "no scan for lost tasks");
    }
  }

  function warnOfDropped(): void {
    for (const [queue, dropped] of consumer.droppedDeadLetters())
      log.warn({ queue, dropped }, "dead letters removed: too many, too large or too old to be kept");
  }

  const scans = every(scan, (stopped) => void recover(stopped));
  return {
    start: () => scans.start(),
    // What was settled since the last scan, the last tasks of all included.
    stop: () => {
      scans.stop();
      warnOfDropped();
    },
  };
}

import type { Consumer } from "@bullrush/broker";
import type { Logger } from "pino";
import { every, type Service } from "./service.js";

/** Looks after flows that have not gone on for a while: what was to be sent, or to follow, may have been lost with whoever was at it. */
export function flowRepairer({
  consumer,
  stale,
  log,
}: {
  readonly consumer: Pick<Consumer, "repairFlows">;
  /** How long a flow has not gone on before it is looked after, and the time between two looks, in ms. */
  readonly stale: number;
  readonly log: Logger;
}): Service {
  let mending = false;

  async function mend(stopped: AbortSignal): Promise<void> {
    if (mending) return;
    mending = true;
    try {
      const mended = await consumer.repairFlows(stale);
      if (mended > 0) log.warn({ mended }, "flows that stood still go on");
    } catch (error) {
      if (!stopped.aborted) log.debug({ reason: error instanceof Error ? error.message : String(error) }, "flows were not looked after");
    } finally {
      mending = false;
    }
  }

  return every(stale, (stopped) => void mend(stopped));
}

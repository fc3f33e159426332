import { setTimeout as pause } from "node:timers/promises";
import type { Flow, Message } from "@bullrush/broker";
import type { Logger } from "pino";
import type { Stop } from "./stop.js";

/** What putting tasks in the place of another needs. */
export interface Replacing {
  readonly startFlow: (flow: Flow) => Promise<void>;
  readonly log: Logger;
  /** The task. */
  readonly message: Message;
  /** Whether it is to end. */
  readonly stop: Stop;
}

/** Time between two tries, in ms. */
const interval = 1000;

/**
 * Sends the tasks that run in the place of another, which has run: again and again while the broker refuses, for it must not run once more. `false` when it is asked to end
 * meanwhile, because it is put back or somebody else's.
 */
export async function replaced(flow: Flow, { startFlow, log, message, stop }: Replacing): Promise<boolean> {
  const { task, id } = message;
  for (let tries = 0; !stop.requested; tries++) {
    try {
      await startFlow(flow);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (tries === 0) log.warn({ task, id, reason }, "what is to run in its place could not be sent: it is tried again");
    }
    await pause(interval, undefined, { signal: stop.signal }).catch(() => undefined);
  }
  return false;
}

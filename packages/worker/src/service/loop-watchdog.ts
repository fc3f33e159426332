import type { Logger } from "pino";
import type { LoopState } from "../consuming/loop-state.js";
import { every, type Service } from "./service.js";

export interface LoopWatchdogOptions {
  readonly loop: { state(): LoopState; lookAgain(): void };
  /** Names of the queues that it takes from. */
  readonly queues: readonly string[];
  readonly log: Logger;
}

/** Time between two checks, in ms: longer than anything that the loop does between two decisions without counting as under way. */
export const checkInterval = 5000;

/**
 * Has the loop look again when it stands still though it should take: two checks in a row find slots free, something to take as far as is known, and nothing under way, and the loop has
 * decided nothing between them. That is a defect, so the first time it is logged with the loop's state.
 */
export function loopWatchdog({ loop, queues, log }: LoopWatchdogOptions): Service {
  let suspect: LoopState | undefined;
  let told = false;

  function check(): void {
    const state = loop.state();
    const stuck = isIdle(state) && suspect?.pumps === state.pumps;
    suspect = isIdle(state) && !stuck ? state : undefined;
    if (!stuck) return;
    log[told ? "debug" : "error"](
      { ...state, queues },
      "the worker stood still with free slots and work due, and looks again: please report this line, it is a defect of Bullrush",
    );
    told = true;
    loop.lookAgain();
  }

  return every(checkInterval, check);
}

/** Whether it should take, and nothing is under way that would have it do so. */
function isIdle({ taking, free, room, calls, scheduled, pause, nextLook }: LoopState): boolean {
  return taking && free > 0 && room > 0 && calls === 0 && !scheduled && pause === 0 && nextLook <= 0;
}

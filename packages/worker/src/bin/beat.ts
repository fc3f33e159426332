import { BullrushError } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import type { Logger } from "pino";

/** The beat that runs beside a worker. */
export interface BesideBeat {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A beat of `app`, from the package that only workers with -B need. Throws `WORKER_USAGE` if that is not installed. */
export async function openBeat(app: App, log: Logger, allowEviction: boolean): Promise<BesideBeat> {
  const { createBeat } = await import("@bullrush/beat").catch((error: unknown) => {
    if (isInstalled()) throw error;
    throw new BullrushError(
      "WORKER_USAGE",
      { reason: "-B needs the package @bullrush/beat: npm install @bullrush/beat" },
      { cause: error },
    );
  });
  return createBeat(app, { log, allowEviction });
}

/** Whether the package itself can be found: what it needs may be missing all the same. */
function isInstalled(): boolean {
  try {
    return import.meta.resolve("@bullrush/beat") !== "";
  } catch {
    return false;
  }
}

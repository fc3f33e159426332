import { BullrushError } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import type { Logger } from "pino";

/** The beat that runs beside a worker. */
export interface BesideBeat {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A beat of `app`, from the package that only workers with -B need. Throws `WORKER_USAGE` if that is not installed. */
export async function openBeat(app: App, log: Logger): Promise<BesideBeat> {
  const { createBeat } = await import("@bullrush/beat").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new BullrushError(
      "WORKER_USAGE",
      { reason: "-B needs the package @bullrush/beat: npm install @bullrush/beat" },
      { cause: error },
    );
  });
  return createBeat(app, { log });
}

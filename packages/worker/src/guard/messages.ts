import type { LoanData } from "@bullrush/broker";

/** All that a worker says to the guard of its process. */
export type ToGuard =
  | { readonly type: "watch"; readonly worker: number; readonly watched: Watched }
  /** Another piece of rows. */
  | { readonly type: "rows"; readonly worker: number; readonly block: SharedArrayBuffer }
  /** The name of the next task. */
  | { readonly type: "task"; readonly worker: number; readonly name: string }
  /** The loans of the worker are reached with another password. */
  | { readonly type: "loans"; readonly worker: number; readonly loans: LoanData }
  | { readonly type: "leave"; readonly worker: number };

/** A worker, as its guard needs to know it. */
export interface Watched {
  readonly loans: LoanData;
  /** Its calls under way that take messages. */
  readonly takes: SharedArrayBuffer;
  /** What it began last. */
  readonly latest: SharedArrayBuffer;
  /** How long the event loop may stand still, in ms; `Infinity` for ever. */
  readonly blockedLimit: number;
  /** Whether the process may be ended, or its user is only to be warned. */
  readonly endsProcess: boolean;
  /** How lines are written that cannot wait for the event loop. */
  readonly format: "pretty" | "json";
}

/** All that the guard says to a worker, which hears it once its event loop goes on. */
export type FromGuard =
  /** It watches that worker. */
  | { readonly type: "ready"; readonly worker: number }
  /** Its connection failed. */
  | { readonly type: "trouble"; readonly worker: number; readonly reason: string };

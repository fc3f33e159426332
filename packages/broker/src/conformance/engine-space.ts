import type { Engine } from "../ports/engine.js";

/** What of a test runner is needed. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

/**
 * A fresh space in which there is nothing yet, with two engines on it, as two processes have them.
 */
export interface EngineSpace {
  readonly engine: Engine;
  readonly other: Engine;
  /** A lease that a busy machine does not miss by accident, in ms. It runs out in some cases. */
  readonly lease: number;
  /**
   * How long a term of a beat lasts in these engines unless it is renewed, in ms. It runs out in
   * some cases.
   */
  readonly lead: number;
  /** The time of the engines, in ms since the epoch. */
  now(): number;
  /** Resolves when `ms` have passed for the engines. */
  pass(ms: number): Promise<void>;
  /** Closes both engines, and removes what they hold. */
  close(): Promise<void>;
}

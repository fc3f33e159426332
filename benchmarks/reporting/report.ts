import type { Row } from "./comparison.js";

/** All figures of a run: `--json` prints them and `--from` reads them. */
export interface Report {
  /** In ISO 8601. */
  readonly date: string;
  readonly rounds: number;
  /** Lines about the machine, the servers and the versions. */
  readonly surroundings: readonly string[];
  /** Why the figures may mislead. */
  readonly warnings: readonly string[];
  /** Runs that failed; the contender has no rows in that scenario. */
  readonly failures: readonly string[];
  readonly scenarios: readonly ScenarioReport[];
}

export interface ScenarioReport {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
}

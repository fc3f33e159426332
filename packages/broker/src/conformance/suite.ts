import type { TestRunner } from "./engine-space.js";
import type { Stage } from "./stage.js";

/** How cases are declared: each gets a fresh space. */
export interface Suite extends Pick<TestRunner, "describe"> {
  readonly test: (name: string, body: (stage: Stage) => Promise<void>) => unknown;
}

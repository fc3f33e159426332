import type { Body } from "../contenders/body.js";

/** Where and how one run goes, as each of its processes is told. */
export interface Setting {
  /** A Redis, without a database, that is empty when the run starts. */
  readonly url: string;
  /** A second one, empty as well. */
  readonly otherUrl: string;
  readonly tasks: number;
  /** What the tasks do. */
  readonly body: Body;
  /** Whether everything is tiny, to see that it works. */
  readonly quick: boolean;
  /** A folder for what a run writes. */
  readonly folder: string;
  /** What `prepare` gave: some of the tasks that it sent, for the results to be checked. */
  readonly sent: readonly Sent[];
  /** The process of `work`, where there is one. */
  readonly worker?: number;
}

/** A task that was sent. */
export interface Sent {
  readonly number: number;
  readonly id: string;
}

/** `count` of what surrounds a measurement (warm-up, backlog), or little when all is tiny. */
export function sized(count: number, { quick }: Pick<Setting, "quick">): number {
  return quick ? Math.min(count, 10) : count;
}

import type { FlowJoin, Target } from "@bullrush/broker";
import type { CallNode } from "./node.js";

/** The calls of a canvas with their ids and queues, and their continuations. */
export interface Plan {
  /** Id of the result. */
  readonly id: string;
  readonly calls: readonly PlannedCall[];
  readonly joins: readonly FlowJoin[];
  /** The targets that are started at once. */
  readonly entries: readonly Target[];
  readonly result: Trace;
}

export interface PlannedCall {
  readonly node: CallNode;
  readonly id: string;
  readonly queue: string;
  readonly priority: number;
  /** The targets of its value. */
  readonly next: readonly Target[];
  /** Whether it gets a value in front of its arguments. */
  readonly takesValue: boolean;
  readonly groupId: string | undefined;
  /** The call of which this is a copy for a further queue. */
  readonly copyOf: PlannedCall | undefined;
  /** Whether there is a handle on its result: not for links and copies. */
  readonly hasHandle: boolean;
  /** The joins in whose groups it begins a member, where something is before the group. */
  readonly startsMembersOf: number[];
  /** The call before it: whose value it gets, or the last member of the group whose values it gets. */
  before: PlannedCall | undefined;
}

/** The calls from which a handle is made. */
export type Trace = { parent: Trace | undefined } & (
  | { readonly call: PlannedCall }
  | { readonly group: string; readonly members: readonly Trace[]; readonly isPartial: boolean }
);

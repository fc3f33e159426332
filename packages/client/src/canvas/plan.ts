import type { FlowJoin, Target } from "@bullrush/broker";
import type { CallNode } from "./node.js";

/** The calls of a canvas with their ids and queues, and what follows upon what. */
export interface Plan {
  /** Id of the result. */
  readonly id: string;
  readonly calls: readonly PlannedCall[];
  readonly joins: readonly FlowJoin[];
  /** What begins at once. */
  readonly entries: readonly Target[];
  readonly result: Trace;
}

export interface PlannedCall {
  readonly node: CallNode;
  readonly id: string;
  readonly queue: string;
  readonly priority: number;
  /** Where its value goes. */
  readonly next: readonly Target[];
  /** Whether it gets a value in front of its arguments. */
  readonly takesValue: boolean;
  readonly groupId: string | undefined;
  /** The call whose copy it is, for a further queue. */
  readonly copyOf: PlannedCall | undefined;
  /** Whether somebody has a handle on its result: not so for links and copies. */
  readonly hasHandle: boolean;
  /** The joins in whose groups it begins a member, where something is before the group. */
  readonly startsMembersOf: number[];
  /** The call before it: whose value it gets, or the last member of the group whose values it gets. */
  before: PlannedCall | undefined;
}

/** What a handle is made of. */
export type Trace = { parent: Trace | undefined } & (
  | { readonly call: PlannedCall }
  | { readonly group: string; readonly members: readonly Trace[]; readonly isPartial: boolean }
);

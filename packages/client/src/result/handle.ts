import type { TaskState } from "@bullrush/broker";
import type { RevokeOptions } from "../control/revoke.js";
import type { ResultData } from "./result-data.js";
import type { GetOptions } from "./wait-options.js";

/** The members that `AsyncResult` and `GroupResult` share. */
export interface Handle<Value = unknown> {
  readonly id: string;
  /** The handle of the step before, in a chain. */
  readonly parent: Handle | undefined;
  /** The handles of the members, if it is a group. */
  readonly results?: readonly Handle[];
  /** The value; for a group the array of its members' values. */
  get(options?: GetOptions & { readonly propagate?: true }): Promise<Value>;
  /** The current state; for a group that of all members together. */
  status(): Promise<TaskState>;
  /**
   * Revokes it, with its continuations. Returns whether it is revoked; for a group, whether each
   * member is.
   */
  revoke(options?: RevokeOptions): Promise<boolean | readonly boolean[]>;
  /** Whether it has ended, in any state. */
  ready(): Promise<boolean>;
  /** Whether it has succeeded. */
  successful(): Promise<boolean>;
  /** Whether it, or a member, has failed. */
  failed(): Promise<boolean>;
  /** Removes what is stored of it, and of the steps before it. */
  forget(): Promise<void>;
  /**
   * Plain data that JSON can carry; `app.restoreResult(data)` restores the handle in any process.
   */
  toJSON(): ResultData;
}

/** The handles on these values, in order. */
export type HandlesFor<Values extends readonly unknown[]> = { readonly [Place in keyof Values]: Handle<Values[Place]> };

/** The values of `Handles`, in order. */
export type ValuesOf<Handles extends readonly Handle[]> = {
  -readonly [Place in keyof Handles]: Handles[Place] extends Handle<infer Value> ? Value : never;
};

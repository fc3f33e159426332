import type { TaskState } from "@bullrush/broker";
import type { RevokeOptions } from "../control/revoke.js";
import type { ResultData } from "./result-data.js";
import type { GetOptions } from "./wait-options.js";

/** What the handle on one result, `AsyncResult`, and that on those of a group, `GroupResult`, have in common. */
export interface Handle<Value = unknown> {
  readonly id: string;
  /** The handle of the step before, in a chain. */
  readonly parent: Handle | undefined;
  /** The handles of its members, if it is that of a group. */
  readonly results?: readonly Handle[];
  /** The value; of a group the array of its members' values. */
  get(options?: GetOptions & { readonly propagate?: true }): Promise<Value>;
  /** What observers see of it now; of a group, of all its members together. */
  status(): Promise<TaskState>;
  /** Calls it off, with all that was to follow upon it. Gives whether it is revoked; of a group, whether each member is. */
  revoke(options?: RevokeOptions): Promise<boolean | readonly boolean[]>;
  /** Whether it has ended, whichever way. */
  ready(): Promise<boolean>;
  /** Whether it has ended well. */
  successful(): Promise<boolean>;
  /** Whether it has ended, or a member has, with an error. */
  failed(): Promise<boolean>;
  /** Removes what is stored of it, and of the steps before it. */
  forget(): Promise<void>;
  /** Plain data, which JSON can carry: `app.restoreResult(data)` makes a handle of them again, in whichever process. */
  toJSON(): ResultData;
}

/** The handles on these values, in their order. */
export type HandlesFor<Values extends readonly unknown[]> = { readonly [Place in keyof Values]: Handle<Values[Place]> };

/** What the results of `Handles` come to, in their order. */
export type ValuesOf<Handles extends readonly Handle[]> = {
  -readonly [Place in keyof Handles]: Handles[Place] extends Handle<infer Value> ? Value : never;
};

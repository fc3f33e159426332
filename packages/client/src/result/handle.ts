import type { GetOptions } from "./wait-options.js";

/** What the handle on one result, `AsyncResult`, and that on those of a group, `GroupResult`, have in common. */
export interface Handle<Value = unknown> {
  readonly id: string;
  /** The handle of the step before, in a chain. */
  readonly parent: Handle | undefined;
  /** The value; of a group the array of its members' values. */
  get(options?: GetOptions & { readonly propagate?: true }): Promise<Value>;
  /** Whether it has ended, whichever way. */
  ready(): Promise<boolean>;
  /** Whether it has ended well. */
  successful(): Promise<boolean>;
  /** Whether it has ended, or a member has, with an error. */
  failed(): Promise<boolean>;
  /** Removes what is stored of it. */
  forget(): Promise<void>;
}

/** What the results of `Handles` come to, in their order. */
export type ValuesOf<Handles extends readonly Handle[]> = {
  -readonly [Place in keyof Handles]: Handles[Place] extends Handle<infer Value> ? Value : never;
};

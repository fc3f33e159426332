import type { BullrushError, TaskRecord } from "@bullrush/broker";

/** Who waits for a result; called later, never at once. */
export interface Listener {
  /** Gets the record of the task once it is terminal. The last call, as `onError` is. */
  readonly onEnd: (record: TaskRecord) => void;
  /** Gets an `UnknownTaskError` when nobody knows the id, or what the backend or `close` rejects with. */
  readonly onError: (reason: unknown) => void;
  /** Gets records that are not terminal, the same one more than once. */
  readonly onNews?: ((record: TaskRecord) => void) | undefined;
  /** Called when it is known that the task has not ended yet, more than once. */
  readonly onPending?: (() => void) | undefined;
  /**
   * Gets why the backend cannot be asked, each time anew, and `undefined` once it answers again; the wait goes on.
   */
  readonly onOutage?: ((error: BullrushError | undefined) => void) | undefined;
}

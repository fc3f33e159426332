import type { BullrushError, TaskRecord } from "@bullrush/broker";

/** Waits for a result. Its methods are called asynchronously. */
export interface Listener {
  /** Called with the terminal record. The last call, as `onError` is. */
  readonly onEnd: (record: TaskRecord) => void;
  /**
   * Called with an `UnknownTaskError` for an unknown id, or with the error of the backend or of
   * `close`.
   */
  readonly onError: (reason: unknown) => void;
  /** Called with records that are not terminal, the same one more than once. */
  readonly onNews?: ((record: TaskRecord) => void) | undefined;
  /** Called when the task is known not to have ended yet; may be called again. */
  readonly onPending?: (() => void) | undefined;
  /**
   * Called with the error each time the backend cannot be read, and with `undefined` once it
   * answers again. The wait goes on.
   */
  readonly onOutage?: ((error: BullrushError | undefined) => void) | undefined;
}

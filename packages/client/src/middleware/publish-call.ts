import type { BullrushError, Json } from "@bullrush/broker";

/** The fields of a call that a `publish` may change, in the copy that it passes to `next`. */
export interface PublishChanges {
  readonly args: readonly unknown[];
  /**
   * Headers of the message. Retries and a canvas that replaces the task keep them. They count
   * towards `maxPayload`.
   */
  readonly headers: Readonly<Record<string, Json>>;
  /** 0 (first) to 9. */
  readonly priority: number;
  /**
   * Earliest time of the run. Absent: at once, or after its `countdown` for a call that is sent
   * later in its flow.
   */
  readonly eta?: Date;
  /** From this time on the task is revoked instead of run. */
  readonly expires?: Date;
}

/** A call that is about to be sent, with compiled options. Its id and queue cannot be changed. */
export interface PublishCall extends PublishChanges {
  readonly id: string;
  readonly task: string;
  /** The first queue that it goes to; copies for further queues get the same changes. */
  readonly queue: string;
  /** The task that sends it, or the step before it in a canvas. */
  readonly parentId?: string;
  readonly rootId: string;
}

/**
 * Sends the calls, through the inner layers. Rejects with `INVALID_OPTION` when it is called twice,
 * or with other calls.
 */
export type PublishNext = (calls: readonly PublishCall[]) => Promise<PublishResults>;

/** The result of each call, in order. */
export type PublishResults = readonly PublishResult[];

export interface PublishResult {
  readonly id: string;
  /**
   * Whether it was sent; `false` without an error for a tick that its entry's `overlap` skipped.
   */
  readonly sent: boolean;
  /** Why it was not confirmed. */
  readonly error?: BullrushError;
}

import type { BullrushError, Json } from "@bullrush/broker";

/** What a `publish` may change of a call, in the copy that it gives to `next`. */
export interface PublishChanges {
  readonly args: readonly unknown[];
  /** Sent along, and kept by retries and by a canvas that replaces the task. Bounded with the call by `maxPayload`. */
  readonly headers: Readonly<Record<string, Json>>;
  /** 0 (first) to 9. */
  readonly priority: number;
  /** Do not run before this time. Absent: at once, or after its `countdown` where its turn is still to come. */
  readonly eta?: Date;
  /** Revoke instead of run from this time on. */
  readonly expires?: Date;
}

/** A call that is about to be sent, its options compiled. Neither its id nor where it goes can be changed. */
export interface PublishCall extends PublishChanges {
  readonly id: string;
  readonly task: string;
  /** The first queue that it goes to; copies for further queues get the same changes. */
  readonly queue: string;
  /** The task that sends it, or the step before it in a canvas. */
  readonly parentId?: string;
  readonly rootId: string;
}

/** Sends the calls, through the layers further in. Rejects with `INVALID_OPTION` when called twice or with calls that are not those given. */
export type PublishNext = (calls: readonly PublishCall[]) => Promise<PublishResults>;

/** What became of each call, in their order. */
export type PublishResults = readonly PublishResult[];

export interface PublishResult {
  readonly id: string;
  /** Whether it was sent; `false` without an error for a tick that its entry's `overlap` skipped. */
  readonly sent: boolean;
  /** Why it was not confirmed. */
  readonly error?: BullrushError;
}

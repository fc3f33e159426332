import { encodeMessage, readMessage, type Json, type RoutedMessage } from "@bullrush/broker";

/** A call as the broker has it, after routes, options and middleware. */
export interface SentCall {
  readonly id: string;
  readonly task: string;
  /** As they come out of their JSON. A later step of a canvas gets the value before it in front. */
  readonly args: readonly unknown[];
  readonly queue: string;
  readonly headers: Readonly<Record<string, Json>>;
  /** 0 (first) to 9. */
  readonly priority: number;
  /** When it is due. Absent: at once, or as soon as it is its turn in its canvas. */
  readonly eta?: Date;
  readonly expires?: Date;
  /** In ms. Absent: as the task declares. */
  readonly timeLimit?: number;
  /** In ms. Absent: as the task declares. */
  readonly softTimeLimit?: number;
  /** `Infinity` for no limit. Absent: as the task declares. */
  readonly maxRetries?: number;
  readonly ignoreResult?: boolean;
  /** The task that sent it, or the step before it in a canvas. */
  readonly parentId?: string;
}

/** The call that is sent as this message. */
export function sentCallOf({ queue, message, text = encodeMessage(message) }: RoutedMessage): SentCall {
  const { id, task, headers, priority, eta, expires, timeLimit, softTimeLimit, maxRetries, ignoreResult, parentId } = message;
  return {
    id,
    task,
    args: readMessage(id, task, text).args,
    queue,
    headers,
    priority,
    ...(eta !== undefined && { eta: new Date(eta) }),
    ...(expires !== undefined && { expires: new Date(expires) }),
    ...(timeLimit !== undefined && { timeLimit }),
    ...(softTimeLimit !== undefined && { softTimeLimit }),
    ...(maxRetries !== undefined && { maxRetries: maxRetries ?? Infinity }),
    ...(ignoreResult !== undefined && { ignoreResult }),
    ...(parentId !== undefined && { parentId }),
  };
}

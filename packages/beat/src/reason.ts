import { failureReason, toFailure } from "@bullrush/broker";
import { redact } from "@bullrush/program";

/**
 * The message of `thrown` and of its innermost cause, for a log line, without passwords. Accepts
 * any value.
 */
export function reasonOf(thrown: unknown): string {
  return redact(failureReason(toFailure(thrown)));
}

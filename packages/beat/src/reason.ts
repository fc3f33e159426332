import { failureReason, toFailure } from "@bullrush/broker";
import { redact } from "@bullrush/program";

/** What `thrown` says, down to the innermost reason, for a log line: whatever it is, and without passwords. */
export function reasonOf(thrown: unknown): string {
  return redact(failureReason(toFailure(thrown)));
}

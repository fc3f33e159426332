import { toFailure } from "@bullrush/broker";
import { redact } from "@bullrush/client/program";

/** What `thrown` says, for a log line: whatever it is, and without passwords. */
export function reasonOf(thrown: unknown): string {
  const { name, message } = toFailure(thrown);
  return name === "NonError" && typeof thrown !== "string" ? `not an Error, but ${typeof thrown}` : redact(message);
}

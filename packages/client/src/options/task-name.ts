import { BullrushError } from "@bullrush/broker";

/**
 * Throws `INVALID_TASK_NAME` unless `name` is a string of 1 to 200 characters without whitespace,
 * control characters or `*`.
 */
export function checkTaskName(name: unknown): void {
  const reason = problemOf(name);
  if (reason !== undefined) throw new BullrushError("INVALID_TASK_NAME", { name: String(name).slice(0, 80), reason });
}

function problemOf(name: unknown): string | undefined {
  if (typeof name !== "string") return "it has to be a string";
  if (name === "") return "it is empty";
  if (name.length > 200) return "it is longer than 200 characters";
  if (/[\s\p{Cc}]/u.test(name)) return "it contains whitespace or control characters";
  if (name.includes("*")) return "it contains *, which stands for any characters in routes";
  return undefined;
}

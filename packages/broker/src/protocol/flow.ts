import type { Failure } from "./failure.js";

/** Whether decoded `value` is a place in a flow. */
export function isPlace(value: unknown): value is Place {
  if (typeof value !== "object" || value === null) return false;
  const { flow, call, next } = value as Partial<Record<string, unknown>>;
  return isTaskId(flow) && isNumber(call) && Array.isArray(next) && next.every(isTarget);
}

const sizes: Readonly<Record<string, number>> = { step: 2, link: 2, error: 2, slot: 3, open: 2 } satisfies Record<Target[0], number>;

function isTarget(value: unknown): value is Target {
  if (!Array.isArray(value)) return false;
  const [kind, ...numbers] = value as unknown[];
  return typeof kind === "string" && sizes[kind] === value.length && numbers.every(isNumber);
}

function isNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Why there is no value: a task that has failed or was revoked, or a group of which members have (then `task` is "group"). What an error link gets. */
export interface Mishap {
  /** Of the task, or of the group. */
  readonly id: string;
  readonly task: string;
  readonly state: "FAILURE" | "REVOKED";
  /** FAILURE only. */
  readonly failure?: Failure;
  /** REVOKED only. */
  readonly reason?: string;
}

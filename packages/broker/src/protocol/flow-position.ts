import { textLimits } from "../clip.js";
import { isTaskId } from "../id.js";

/**
 * Where a value goes, or why there is none.
 * `step`: to a call, which fails too when there is no value; `steps`: to all from the first to the last. `link`: to a call that is dropped then. `error`: to a call that takes a
 * `FailureInfo`, and is dropped when there is a value, or when what failed is none of the calls from `first` to `last`,
 * if these are given. `slot`: to a place in a join. `open`: to a join of size 0, which lets pass an empty array.
 */
export type Target =
  | readonly ["step" | "link", call: number]
  | readonly ["error", call: number, ...whose: [first: number, last: number] | []]
  | readonly ["steps", first: number, last: number]
  | readonly ["slot", join: number, slot: number]
  | readonly ["open", join: number];

/** Where a message stands in a flow, and what comes after it. */
export interface FlowPosition {
  /** Id of the flow. */
  readonly flow: string;
  /** Number of the call. */
  readonly call: number;
  readonly next: readonly Target[];
}

/** A task, for those who speak of it. */
export interface TaskRef {
  readonly id: string;
  readonly task: string;
}

/** Whether decoded `value` names a task. */
export function isTaskRef(value: unknown): value is TaskRef {
  if (typeof value !== "object" || value === null) return false;
  const { id, task } = value as Partial<Record<string, unknown>>;
  return isTaskId(id) && typeof task === "string" && task !== "" && task.length <= textLimits.name;
}

/** Whether decoded `value` is a place in a flow. */
export function isFlowPosition(value: unknown): value is FlowPosition {
  if (typeof value !== "object" || value === null) return false;
  const { flow, call, next } = value as Partial<Record<string, unknown>>;
  return isTaskId(flow) && isPosition(call) && Array.isArray(next) && next.every(isTarget);
}

const sizes: Readonly<Record<string, readonly number[]>> = {
  step: [2],
  steps: [3],
  link: [2],
  error: [2, 4],
  slot: [3],
  open: [2],
} satisfies Record<Target[0], readonly number[]>;

function isTarget(value: unknown): value is Target {
  if (!Array.isArray(value)) return false;
  const [kind, ...numbers] = value as unknown[];
  return (
    typeof kind === "string" && Object.hasOwn(sizes, kind) && sizes[kind]?.includes(value.length) === true && numbers.every(isPosition)
  );
}

/** Whether decoded `value` may be the number of a call, a join or a slot. */
export function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

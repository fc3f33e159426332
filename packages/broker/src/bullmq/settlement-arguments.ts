import { groupBy } from "../redis/group-by.js";
import type { Settlement } from "../ports/settlement.js";
import type { Retention } from "../ports/retention.js";
import { describeFailure } from "../protocol/failure.js";
import type { Outcome } from "../protocol/outcome.js";

type Action =
  | "done"
  | "done-again"
  | "done-late"
  | "failed"
  | "dead"
  | "requeued"
  | "crashed"
  | "retried"
  | "postponed"
  | "left"
  | "external-completed"
  | "external-failed"
  | "external-unrecoverable"
  | "external-dead";

/** Settlements as `lua/bullmq/settle-and-take.lua` reads them: in groups of those that are alike. */
export interface SettlementArguments {
  readonly groups: number;
  readonly args: readonly (string | number)[];
  /** The settlements in the order in which they stand in `args`. */
  readonly order: readonly Settlement[];
}

/**
 * @param numberOf the number by which the script knows a queue
 * @param retentionOf what a queue keeps of what has ended
 * @param isLate whether these are successes whose leases had run out
 */
export function settlementArguments(
  settlements: readonly Settlement[],
  numberOf: (queue: string) => number,
  retentionOf: (queue: string) => Retention,
  isLate = false,
): SettlementArguments {
  const actionFor = (settlement: Settlement) => (isLate ? "done-late" : actionOf(settlement));
  const groups = groupBy(settlements, (settlement) => {
    const { queue, endedBefore } = settlement.delivery;
    return `${actionFor(settlement)} ${endedBefore} ${queue}`;
  });
  const args: (string | number)[] = [];
  for (const group of groups) {
    const action = actionFor(group[0]);
    const { queue, endedBefore } = group[0].delivery;
    args.push(numberOf(queue), action, endedBefore + 1, group.length);
    if (!staying.has(action)) args.push(...keepArguments(action, group, retentionOf(queue)));
    for (const settlement of group) {
      const { id, token, number } = settlement.delivery;
      if (isLate) args.push(id, number, settlement.store === undefined ? "" : "1");
      else args.push(id, token);
      if (!bare.has(action)) args.push(...valuesOf(settlement));
    }
  }
  return { groups: groups.length, args, order: groups.flat() };
}

/** How the queue keeps settlements that are alike. */
function keepArguments(action: Action, group: readonly Settlement[], retention: Retention): readonly (string | number)[] {
  const { completed, failed, deadLetter } = retention;
  const { count, bytes } = endsWell.has(action) ? completed : failed;
  let size = 0;
  for (const { delivery } of group) size += delivery.bytes ?? 0;
  const head = [size, count, bytes, retention.keepArguments ? "1" : ""];
  return action === "dead" || action === "external-dead" ? [...head, deadLetter.count, deadLetter.bytes] : head;
}

const endsWell: ReadonlySet<Action> = new Set<Action>(["done", "done-again", "done-late", "external-completed"]);

/** What does not end. */
const staying: ReadonlySet<Action> = new Set<Action>(["requeued", "crashed", "retried", "postponed", "left"]);

/** What says all by itself. */
const bare: ReadonlySet<Action> = new Set<Action>(["done", "done-again", "done-late", "requeued", "crashed"]);

function actionOf({ delivery, outcome }: Settlement): Action {
  if (outcome.type === "requeued" && outcome.eta !== undefined)
    return delivery.content.type === "external" && outcome.unknownSince !== undefined ? "left" : "postponed";
  if (outcome.type === "requeued" || outcome.type === "crashed" || outcome.type === "retried") return outcome.type;
  if (delivery.content.type !== "message") return externalActionOf(outcome);
  // Only of what was taken before are the runs counted, in a field that goes with the last.
  if (outcome.type === "succeeded" || outcome.type === "replaced") return delivery.number > 1 ? "done-again" : "done";
  return outcome.type === "failed" && outcome.deadLetter ? "dead" : "failed";
}

/** What cannot be read may be a plain producer's too, with a parent that waits for it. */
function externalActionOf(outcome: Outcome): Action {
  if (outcome.type === "succeeded") return "external-completed";
  if (outcome.type !== "failed") return "external-unrecoverable";
  if (outcome.deadLetter) return "external-dead";
  // By its name, as BullMQ's Worker does.
  return outcome.failure.name === "UnrecoverableError" ? "external-unrecoverable" : "external-failed";
}

/** The return value, or why it failed, then the list of stacks, if there is one; the next message, or since when nobody knows this one, and when it is due. */
function valuesOf({ delivery, outcome }: Settlement): readonly [string, string] {
  switch (outcome.type) {
    case "succeeded":
      return [outcome.result ?? "null", ""];
    case "failed": {
      const { failure } = outcome;
      const reason = delivery.content.type === "external" ? failure.message : describeFailure(failure);
      return [reason, JSON.stringify([failure.stack ?? failure.message])];
    }
    case "revoked": {
      const { reason, failure } = outcome;
      return [`revoked: ${reason}`, failure === undefined ? "" : JSON.stringify([failure.stack ?? failure.message])];
    }
    case "retried":
      return [outcome.text, String(Math.ceil(outcome.eta))];
    case "requeued":
      return [String(outcome.unknownSince ?? ""), outcome.eta === undefined ? "" : String(Math.ceil(outcome.eta))];
    case "replaced":
      return ["null", ""];
    case "crashed":
      return ["", ""];
  }
}

import type { FailureInfo } from "../../protocol/flow.js";
import type { Message } from "../../protocol/message.js";
import type { Outcome } from "../../protocol/outcome.js";

/** What a call hands on, as the scripts read it: a value or a failure, and its JSON; or that others run in its place. */
export type Ending = readonly [kind: "value" | "failure", text: string] | readonly [kind: "replaced", text: ""];

/** What a task that came to `outcome` hands on; `undefined` if it has not ended. */
export function endingOf({ id, task }: Pick<Message, "id" | "task">, outcome: Outcome): Ending | undefined {
  switch (outcome.type) {
    case "succeeded":
      return ["value", outcome.result ?? "null"];
    case "failed":
      return ["failure", failureInfoText({ id, task, state: "FAILURE", failure: outcome.failure })];
    case "revoked":
      return [
        "failure",
        failureInfoText({ id, task, state: "REVOKED", reason: outcome.reason, ...(outcome.failure && { failure: outcome.failure }) }),
      ];
    case "replaced":
      return ["replaced", ""];
    case "retried":
    case "requeued":
    case "crashed":
      return undefined;
  }
}

export function failureInfoText(info: FailureInfo): string {
  return JSON.stringify(info);
}

import type { Message, Outcome, Results } from "@bullrush/broker";
import type { Check } from "./check.js";

/** Ends what somebody has revoked before it was taken. */
export function revoked(results: Pick<Results, "read">): Check {
  /** The id of a call may be revoked before the call is sent. Without the result backend it runs. */
  async function revokedBefore({ id }: Message): Promise<Outcome | "pass"> {
    const [record] = await results.read([id]).catch(() => []);
    return record?.state === "REVOKED" ? { type: "revoked", reason: record.reason ?? "" } : "pass";
  }

  return ({ delivery, message, storesResult }) => {
    if (delivery.revoked !== undefined) return { type: "revoked", reason: delivery.revoked };
    // What stores a result finds the record when it claims its number.
    return message?.resent === true && !storesResult ? revokedBefore(message) : "pass";
  };
}

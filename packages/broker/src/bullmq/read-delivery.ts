import { clip, textLimits } from "../errors/clip.js";
import type { Delivery, Verdict } from "../ports/delivery.js";
import { readContent, tooLong } from "./content.js";
import type { Given, Marks } from "./exchange-reply.js";

export interface ReadDeliveryOptions {
  readonly queue: string;
  /** What the tokens of the call that took it start with. */
  readonly token: string;
  /** Longest message that is read, in bytes. */
  readonly maxMessageBytes: number;
}

/** The delivery of a job that the script took. */
export function readDelivery(given: Given, { queue, token, maxMessageBytes }: ReadDeliveryOptions): Delivery {
  const { id, name, text, priority, times, ended, revoked, crashes } = given;
  return {
    queue,
    id,
    number: times,
    endedBefore: ended,
    crashes,
    ...(typeof revoked === "string" ? { revoked: clip(revoked, textLimits.reason) } : revoked !== null && marksOf(revoked)),
    ...(text !== null && { bytes: typeof text === "number" ? text : Buffer.byteLength(text) }),
    token: `${token}:${given.token}`,
    content: typeof text === "number" ? tooLong(text, maxMessageBytes) : readContent(id, name, text, priority),
  };
}

/** What the fields `verdict` and `unknownSince` of a job say. */
function marksOf([verdict, unknownSince]: Marks): Pick<Delivery, "verdict" | "unknownSince"> {
  return {
    ...(verdict !== null && { verdict: verdictOf(verdict) }),
    ...(Number.isFinite(Number(unknownSince ?? NaN)) && { unknownSince: Number(unknownSince) }),
  };
}

/** What the field `verdict` of a job says. */
function verdictOf(text: string): Verdict {
  const [, limit] = /^time-limit (\d+)$/.exec(text) ?? [];
  return limit === undefined ? { type: "succeeded" } : { type: "time-limit", limit: Number(limit) };
}

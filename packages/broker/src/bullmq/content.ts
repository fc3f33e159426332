import { clip, textLimits } from "../errors/clip.js";
import { BullrushError } from "../errors/error.js";
import { decodeMessage, foreignMessage, isEnvelope, isNewer } from "../protocol/read-message.js";
import { decodeJson } from "../json/json.js";
import type { Content } from "../ports/delivery.js";

/** What a job holds whose message has so many bytes that nobody reads it. */
export function tooLong(bytes: number, limit: number): Content {
  return { type: "undecodable", error: new BullrushError("PAYLOAD_TOO_LARGE", { what: "the message", bytes, limit }) };
}

/** What a job holds: one of our messages, the call that a plain BullMQ job stands for, or why it is neither. Never throws. */
export function readContent(id: string, name: string | null, text: string | null, priority: string | null): Content {
  let newerTask: string | undefined;
  try {
    if (name === null || text === null) throw new BullrushError("DECODE_ERROR", { what: "the message", reason: "its hash is gone" });
    const decoded = decodeJson(text, "the message");
    if (!isEnvelope(decoded)) return { type: "foreign", message: foreignMessage(id, name, decoded, Number(priority) || 0) };
    if (isNewer(decoded)) newerTask = clip(name, textLimits.name);
    return { type: "message", message: decodeMessage(id, name, decoded), text };
  } catch (error) {
    if (error instanceof BullrushError) return { type: "undecodable", error, ...(newerTask !== undefined && { newerTask }) };
    throw error;
  }
}

import { BullrushError } from "../errors/error.js";

/** Default of the longest encoded message or result, in bytes: 1 MiB. */
export const defaultMaxPayload = 1024 * 1024;

/** Throws `PAYLOAD_TOO_LARGE` if `text` has more than `limit` bytes in UTF-8. */
export function checkSize(text: string, what: string, limit: number): void {
  if (text.length * 3 <= limit) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > limit) throw new BullrushError("PAYLOAD_TOO_LARGE", { what, bytes, limit });
}

/**
 * Longest message or record that is read where `maxPayload` bytes may be sent: 8 MiB, or four times
 * `maxPayload` if that is more, since a message may hold values of its parents too. Anybody who may
 * write to Redis can store text of any length, and parsing takes many times its size.
 */
export function maxMessageBytes(maxPayload: number): number {
  return Math.max(8 * 1024 * 1024, 4 * maxPayload);
}

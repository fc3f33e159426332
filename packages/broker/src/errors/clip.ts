/** Longest texts that are written, and so the longest that are believed when they are read: what somebody planted may have megabytes. In characters. */
export const textLimits = { name: 200, reason: 1000 } as const;

/** `text`, cut with `…` at its end if it has more than `most` characters: so what was cut is equal to nothing that was written. */
export function clip(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}

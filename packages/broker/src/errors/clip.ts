/**
 * Longest texts, in characters, that are written and therefore accepted when they are read: a
 * stranger may have stored megabytes.
 */
export const textLimits = { name: 200, reason: 1000 } as const;

/**
 * `text`, cut with `…` at its end if it has more than `max` characters, so that a cut text differs
 * from each complete one.
 */
export function clip(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}

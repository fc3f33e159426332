/**
 * C0, DEL and C1, characters that change the direction of text, and line separators outside ASCII.
 */
const unsafe = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const unsafeInLines = /[^\P{Cc}\n]|[\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * Makes `text` one line that is safe for a terminal: control characters, those of text direction
 * included, become JSON escapes such as `\u001b`, and a line break `
 * `.
 */
export function printable(text: string): string {
  return text.replace(unsafe, escaped);
}

/**
 * As `printable`, but keeps line breaks. JSON stays equivalent: control characters occur only in
 * its strings.
 */
export function printableLines(text: string): string {
  return text.replace(unsafeInLines, escaped);
}

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escaped(character: string): string {
  return short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** C0, DEL and C1, what changes the direction of text, and the separators of lines that are not in ASCII. */
const unsafe = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const unsafeInLines = /[^\P{Cc}\n]|[\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * `text` on one line, and with nothing in it that a terminal would obey: each control character, those of text direction included, as JSON writes
 * it, `\u001b`, and a line break as `\n`.
 */
export function printable(text: string): string {
  return text.replace(unsafe, escaped);
}

/** `text` as `printable` makes it, but with its line breaks. JSON stays the same JSON: control characters stand nowhere but in its strings. */
export function printableLines(text: string): string {
  return text.replace(unsafeInLines, escaped);
}

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escaped(character: string): string {
  return short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

import { clip } from "@bullrush/broker";

/**
 * Maximum length of a line that is written unchanged, and of a text in a longer line, in
 * characters: twice the stack of a stored failure, and one such stack.
 */
const most = { line: 40_000, text: 20_000, texts: 100 };

/**
 * Returns a line of JSON, with its texts and lists cut if it is too long: anybody with access to
 * Redis may have stored megabytes.
 */
export function shortened(line: string): string {
  if (line.length <= most.line) return line;
  return `${JSON.stringify(JSON.parse(line), cut)}\n`;
}

function cut(_key: string, value: unknown): unknown {
  if (typeof value === "string") return clip(value, most.text);
  return Array.isArray(value) && value.length > most.texts ? [...(value as unknown[]).slice(0, most.texts), "…"] : value;
}

import { clip } from "@bullrush/broker";

/** Longest line that is written as it is, and longest text in a longer one, in characters: twice the stack of a failure that is stored, and one such stack. */
const most = { line: 40_000, text: 20_000, texts: 100 };

/** `line`, a line of JSON: one of megabytes, because of what somebody planted, with its texts and lists cut. */
export function shortened(line: string): string {
  if (line.length <= most.line) return line;
  return `${JSON.stringify(JSON.parse(line), cut)}\n`;
}

function cut(_key: string, value: unknown): unknown {
  if (typeof value === "string") return clip(value, most.text);
  return Array.isArray(value) && value.length > most.texts ? [...(value as unknown[]).slice(0, most.texts), "…"] : value;
}

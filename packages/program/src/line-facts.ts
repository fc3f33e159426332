import { printable, printableLines } from "./printable.js";

/** The messages of log lines about a task; the message of any other line is plain text. */
export const taskEvents: ReadonlySet<string> = new Set([
  ...["received", "succeeded", "ignored", "failed", "retried", "revoked", "requeued", "replaced", "crashed"],
  ...["sent", "missed", "overlap"],
]);

type Fields = Readonly<Record<string, unknown>>;

/**
 * The fields of a line for people, after the message: those of `event` as words, of all others as
 * `name=value`.
 */
export function factsOf(event: string, fields: Fields): string {
  const { words, rest } = (phrases.get(event) ?? allFields)(fields);
  const { error, reason } = rest;
  const why = [error, reason].filter((text) => typeof text === "string").map((text) => printableLines(text).replaceAll("\n", "\n    "));
  const others = Object.entries(rest).filter(([name, value]) => typeof value !== "string" || (name !== "error" && name !== "reason"));
  const named = others.map(([name, value]) => `${printable(name)}=${shown(value)}`);
  return [words, ...named].filter((part) => part !== "").join(" ") + (why.length === 0 ? "" : `: ${why.join(": ")}`);
}

type Speak = (fields: Fields) => { readonly words: string; readonly rest: Fields };

const allFields: Speak = (rest) => ({ words: "", rest });

/** The duration of a task that succeeded. */
const done: Speak = ({ ms, ...rest }) => ({ words: typeof ms === "number" ? `in ${ms} ms` : "", rest });

/** The end of a task that did not succeed. */
const ended: Speak = ({ ms, next, queue: _, ...rest }) => ({
  words: [typeof ms === "number" ? `after ${ms} ms` : "", typeof next === "string" ? `, next at ${timeOf(next)}` : ""].join(""),
  rest,
});

const phrases: ReadonlyMap<string, Speak> = new Map<string, Speak>([
  [
    "received",
    ({ queue, attempt, ...rest }) => ({
      words: `from ${shown(queue)}${attempt === 1 || attempt === undefined ? "" : `, attempt ${shown(attempt)}`}`,
      rest,
    }),
  ],
  ...["succeeded", "ignored"].map((event) => [event, done] as const),
  ...["failed", "retried", "revoked", "requeued", "replaced", "crashed"].map((event) => [event, ended] as const),
  [
    "sent",
    ({ queue, entry, late, due: _, ...rest }) => ({ words: `to ${shown(queue)}, of ${shown(entry)}, ${shown(late)} ms late`, rest }),
  ],
  ["ready", ({ queues, ...rest }) => ({ words: Array.isArray(queues) ? `, takes from ${queues.map(shown).join(", ")}` : "", rest })],
  [
    "stopping",
    ({ running, timeout, ...rest }) => ({
      words: typeof timeout === "number" && running !== 0 ? `, waits at most ${timeout / 1000} s for ${shown(running)} running` : "",
      rest,
    }),
  ],
]);

function timeOf(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? printable(iso) : date.toTimeString().slice(0, 8);
}

/** A text as it is if it is one word; a list with commas; any other value as JSON. */
function shown(value: unknown): string {
  if (typeof value === "string") return printable(/^[^\s"=]+$/.test(value) ? value : JSON.stringify(value));
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.map(shown).join(",");
  return printable(JSON.stringify(value) ?? "");
}

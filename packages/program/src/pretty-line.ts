import { clip } from "@bullrush/broker";
import { painter, type Paint } from "./colours.js";
import { factsOf, taskEvents } from "./line-facts.js";
import { printable, printableLines } from "./printable.js";

/** A line of a pino logger. */
export interface Line {
  readonly level: number;
  readonly time: string | number;
  readonly [field: string]: unknown;
}

export interface PrettyOptions {
  readonly colours: boolean;
  /** The host of this machine, which is left out of the names of its workers. */
  readonly host: string;
  /**
   * Width of the terminal, in characters; long names are clipped to it. `undefined`: no terminal.
   */
  readonly columns: () => number | undefined;
}

/** Maximum length of names, in characters, and their maximum share of a narrow terminal. */
const most = { worker: 24, task: 60, workerShare: 0.2, taskShare: 0.4, least: 8 };

/**
 * Returns a formatter of pino lines for people, in local time:
 * `12:00:01 workerA  succeeded  tasks.add[9904f3ad] in 2 ms`. The stack of a failure follows below.
 * Further lines of any text are indented, so that no logged text looks like a line of its own.
 */
export function prettyLines({ colours, host, columns }: PrettyOptions): (json: string) => string {
  const paint = painter(colours);
  let width = 0;

  function who(worker: unknown, room: number): string {
    if (typeof worker !== "string") return "";
    const own = worker.endsWith(`@${host}`) ? worker.slice(0, -host.length - 1) : worker;
    const shown = clip(printable(own), Math.min(most.worker, share(room, most.workerShare)));
    width = Math.max(width, shown.length);
    return ` ${paint("36", shown.padEnd(width))}`;
  }

  return (json) => {
    const { level, time, worker, stack, ...fields } = JSON.parse(json) as Line;
    // A terminal without a known width reports 0.
    const room = columns() || Infinity;
    const text = isOfTask(fields) ? taskText(level, fields, paint, room) : plainText(level, fields, paint);
    const below = typeof stack === "string" ? `\n    ${indented(stack)}` : "";
    return `${paint("2", clockOf(time))}${who(worker, room)}  ${text}${below}\n`;
  };
}

type Fields = Readonly<Record<string, unknown>>;

function isOfTask(fields: Fields): fields is Fields & { readonly task: string; readonly id: string } {
  return typeof fields["task"] === "string" && typeof fields["id"] === "string" && typeof fields["msg"] === "string";
}

/** The event of a task, or the task's own text after its stream or level. */
function taskText(level: number, { task, id, ...fields }: Fields & { task: string; id: string }, paint: Paint, room: number): string {
  const { msg, stream, ...others } = fields;
  const subject = `${clip(printable(task), Math.min(most.task, share(room, most.taskShare)))}[${printable(id.slice(0, 8))}]`;
  const isEvent = taskEvents.has(String(msg));
  const word = isEvent ? String(msg) : typeof stream === "string" ? printable(stream) : nameOf(level);
  const said = [subject, ...(isEvent ? [] : [indented(String(msg))])].filter((part) => part !== "").join(" ");
  return `${paint(colourOf(level), word.padEnd(9))}  ${withFacts(said, factsOf(isEvent ? String(msg) : "", others))}`;
}

function plainText(level: number, { msg, stream, ...others }: Fields, paint: Paint): string {
  const label = typeof stream === "string" ? printable(stream) : level === 30 ? "" : nameOf(level);
  const said = typeof msg === "string" ? indented(msg) : "";
  const text = withFacts(said, factsOf(said, others));
  return label === "" ? text : `${paint(colourOf(level), label)}  ${text}`;
}

function withFacts(said: string, facts: string): string {
  return /^[,:]/.test(facts) ? `${said}${facts}` : [said, facts].filter((part) => part !== "").join(" ");
}

const names: Readonly<Record<number, string>> = { 10: "trace", 20: "debug", 30: "info", 40: "warning", 50: "error", 60: "fatal" };

function nameOf(level: number): string {
  return names[level] ?? String(level);
}

/**
 * The colour of a level: red from errors on, yellow for warnings, green, and dim for debug lines.
 */
function colourOf(level: number): string {
  if (level >= 50) return "31";
  if (level >= 40) return "33";
  return level >= 30 ? "32" : "2";
}

/** The time of day, `12:00:01`. */
function clockOf(time: string | number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

function share(room: number, part: number): number {
  return Math.max(most.least, Math.floor(room * part));
}

function indented(text: string): string {
  return printableLines(text).replaceAll("\n", "\n    ");
}

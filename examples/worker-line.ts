/** One line of a worker's log, or of a beat's, in the fields that are shown. */
interface WorkerLine {
  readonly level: number;
  readonly msg: string;
  readonly task?: string;
  readonly id?: string;
  readonly queue?: string;
  readonly queues?: readonly string[];
  readonly ms?: number;
  readonly error?: string;
  readonly reason?: string;
  readonly entry?: string;
  readonly late?: number;
}

/** A line of a worker's or a beat's JSON log, for a reader; what is not JSON as it stands, and `undefined` for what a demo does not show. */
export function lineOf(text: string): string | undefined {
  const line = parse(text);
  if (line === undefined) return text;
  const { msg, task, id = "", queue, queues, ms, error, reason, entry, late } = line;
  const what = `${msg.padEnd(9)} ${task}[${id.slice(0, 8)}]`;
  switch (msg) {
    case "starting":
    case "stopping":
      return undefined;
    case "ready":
      return queues === undefined ? msg : `ready, takes from ${queues.join(" and ")}`;
    case "sent":
      return `${msg.padEnd(9)} ${entry}, ${late} ms late`;
    case "received":
      return `${what} from ${queue}`;
    case "succeeded":
      return `${what} in ${ms} ms`;
    case "failed":
      return `${what} ${error}`;
    default:
      return reason === undefined ? msg : `${msg}: ${reason}`;
  }
}

function parse(text: string): WorkerLine | undefined {
  try {
    const line = JSON.parse(text) as WorkerLine;
    return typeof line.msg === "string" ? line : undefined;
  } catch {
    return undefined;
  }
}

/** What `lua/bullmq/settle-and-take.lua` returns, once `wholeReply` has added what it leaves out. */
export type ExchangeReply = readonly [
  wrong: readonly (number | string)[],
  given: readonly (string | number | Marks | null)[],
  dry: readonly (readonly [queue: number, limited: number, due: number, heldBack: number])[],
  faults: readonly (number | string | null)[],
  held: readonly number[],
  behind: readonly string[],
  dropped: readonly number[],
];

/** `reply` with the last four lists, which the script leaves out when all of them are empty. */
export function wholeReply(reply: unknown): ExchangeReply {
  const [wrong = [], given = [], dry = [], faults = [], held = [], behind = [], dropped = []] = reply as Partial<ExchangeReply>;
  return [wrong, given, dry, faults, held, behind, dropped];
}

/** How a job is known to have ended, and since when workers have put it back that do not know it. */
export type Marks = readonly [verdict: string | null, unknownSince: string | null];

/** A job that was given. */
export interface Given {
  /** Number of its queue, from 1. */
  readonly queue: number;
  readonly id: string;
  readonly name: string | null;
  /** The message, or how many bytes it has if that is too many. */
  readonly text: string | number | null;
  readonly priority: string | null;
  /** How often it was taken, and how often it ended before. */
  readonly times: number;
  readonly ended: number;
  /** What its token ends with. */
  readonly token: number;
  /** Why it was revoked, or what else is known of it. */
  readonly revoked: string | Marks | null;
  readonly crashes: number;
}

/** A queue of which something could not be taken. */
export interface Fault {
  /** Its number, from 1. */
  readonly queue: number;
  /** Why nothing is; `null` if that is of single ids, which are no jobs. */
  readonly why: string | null;
  /** How many ids stay on its active list until the scan for lost jobs. */
  readonly left: number;
}

/** The faults, out of one flat list. */
export function faultsIn(flat: ExchangeReply[3]): readonly Fault[] {
  const faults: Fault[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    const [queue, why, left] = flat.slice(at, at + 3);
    faults.push({ queue, why, left } as Fault);
  }
  return faults;
}

const width = 10;

/** The jobs that were given, out of one flat list. */
export function givenIn(flat: ExchangeReply[1]): readonly Given[] {
  const jobs: Given[] = [];
  for (let at = 0; at < flat.length; at += width) {
    const [queue, id, name, text, priority, times, ended, token, revoked, crashes] = flat.slice(at, at + width);
    jobs.push({ queue, id, name, text, priority, times, ended, token, revoked, crashes } as Given);
  }
  return jobs;
}

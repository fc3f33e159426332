import { clip, textLimits } from "../errors/clip.js";
import type { Consumer, Renewal } from "../ports/consumer.js";
import type { Delivery } from "../ports/delivery.js";
import type { Connection } from "../redis/connection.js";
import type { Retention } from "../ports/retention.js";
import { shownReply } from "../redis/reason.js";
import { runScript } from "../redis/script.js";
import { engineScript } from "./engine.js";
import { counted } from "../errors/words.js";

/** Options of the leases of a consumer. */
export interface LeaseOptions {
  readonly commands: Connection;
  /** What the keys of its queues start with. */
  readonly prefixes: readonly string[];
  /** Its queues in the same order: the prefix of our own keys, and the retention. */
  readonly queues: readonly { readonly name: string; readonly own: string; readonly retention: Retention }[];
  /** Key of the index of the flows that have not ended. */
  readonly flowIndex: string;
  /** The number by which the scripts know a queue, from 1. */
  readonly numberOf: (queue: string) => number;
  /** In ms. */
  readonly lease: number;
  /** Time between two looks for lost leases, in ms. */
  readonly scan: number;
  /** Longest time that a call may take, outages included, in ms. */
  readonly deadline: number;
}

/** Most leases that are renewed in one call, so that none holds Redis for long. */
const maxRenewed = 1000;

/** Most calls of one look for lost leases and for what is too old. */
const maxRounds = 50;

const scripts = { renew: engineScript("renew"), recover: engineScript("recover"), count: engineScript("count") };

export interface Leases extends Pick<Consumer, "renew" | "begin" | "end" | "recover" | "droppedDeadLetters"> {
  /** Notes that dead letters were dropped: pairs of the number of a queue and how many. */
  noteDropped(pairs: readonly number[]): void;

  /**
   * Whether the last `recover` saw no unfinished flow. True once: the next answer needs another
   * `recover`.
   */
  takeNoFlows(): boolean;
}

/** Renews and recovers the loans of messages for a consumer. */
export function openLeases(options: LeaseOptions): Leases {
  const { commands, prefixes, queues, flowIndex, numberOf, lease, scan, deadline } = options;
  const scanned = queues.flatMap(({ own }, index) => [prefixes[index] as string, own]);
  let noFlows = false;
  let dropped = new Map<string, number>();

  async function renew(deliveries: readonly Delivery[]): Promise<Renewal> {
    const chunks = Array.from({ length: Math.ceil(deliveries.length / maxRenewed) }, (_, index) =>
      deliveries.slice(index * maxRenewed, (index + 1) * maxRenewed),
    );
    const renewals = await Promise.all(chunks.map(renewChunk));
    return { lost: renewals.flatMap(({ lost }) => lost), revoked: renewals.flatMap(({ revoked }) => revoked) };
  }

  async function renewChunk(deliveries: readonly Delivery[]): Promise<Renewal> {
    const args = deliveries.flatMap(({ queue, id, token }) => [numberOf(queue), id, token]);
    const replies = (await commands.run(
      { action: `${counted(deliveries.length, "lease was", "leases were")} not renewed`, deadline },
      (client) => runScript(client, scripts.renew, prefixes, [lease, ...args]),
    )) as RenewReply;
    return {
      lost: deliveries.filter((_, index) => replies[index] === 0),
      revoked: deliveries.flatMap((delivery, index) => {
        const reply = replies[index];
        return typeof reply === "object"
          ? { delivery, revocation: { reason: clip(reply[0], textLimits.reason), terminate: reply[1] === 1 } }
          : [];
      }),
    };
  }

  /** @param token proof of the loan that begins; "" for one that has ended */
  async function count({ queue, id, number }: Delivery, token: string): Promise<boolean> {
    const [counted] = (await commands.run({ action: `the start of task ${id} was not counted`, deadline }, (client) =>
      runScript(client, scripts.count, prefixes, [numberOf(queue), id, number, token]),
    )) as number[];
    return counted === 1;
  }

  async function recover(): Promise<number> {
    // A bit less than the time between two looks: a timer that fires a little early must not
    // postpone the next look by a whole turn.
    const pause = Math.round(scan * 0.8);
    let all = 0;
    let spoilt: string | undefined;
    // One call may not remove all that is too old; the next look removes the rest.
    for (let round = 0; round < maxRounds; round++) {
      const now = Date.now();
      const oldest = queues.flatMap(({ retention: { completed, failed, deadLetter } }) =>
        [completed, failed, deadLetter].map(({ age }) => Math.max(now - age, 0)),
      );
      const [recovered, flows, more, lettersGone, unscanned] = (await commands.run(
        { action: "queues were not scanned for lost tasks", deadline },
        (client) => runScript(client, scripts.recover, [flowIndex, ...scanned], [now, pause, ...oldest]),
      )) as RecoverReply;
      noFlows = flows === 0;
      noteDropped(lettersGone);
      all += recovered;
      if (unscanned.length > 0) spoilt = saysUnscanned(unscanned);
      if (more === 0) break;
    }
    // What was recovered elsewhere is reported.
    if (spoilt !== undefined && all === 0) throw new Error(spoilt);
    return all;
  }

  /** @param pairs the number of a queue and why it was not scanned */
  function saysUnscanned(pairs: readonly (number | string)[]): string {
    const queues = pairs.filter((_, at) => at % 2 === 0).map((number) => nameOf(Number(number)));
    return `not scanned: ${queues.join(", ")}: ${shownReply(String(pairs[1]))}`;
  }

  function nameOf(number: number): string {
    return (queues[number - 1] as LeaseOptions["queues"][number]).name;
  }

  function noteDropped(pairs: readonly number[]): void {
    for (let at = 0; at < pairs.length; at += 2) {
      const name = nameOf(pairs[at] as number);
      dropped.set(name, (dropped.get(name) ?? 0) + (pairs[at + 1] as number));
    }
  }

  function droppedDeadLetters(): ReadonlyMap<string, number> {
    const noted = dropped;
    dropped = new Map();
    return noted;
  }

  function takeNoFlows(): boolean {
    const none = noFlows;
    noFlows = false;
    return none;
  }

  return {
    renew,
    begin: (delivery) => count(delivery, delivery.token),
    end: async (delivery) => void (await count(delivery, "")),
    recover,
    droppedDeadLetters,
    noteDropped,
    takeNoFlows,
  };
}

/** As `lua/bullmq/recover.lua` gives it. */
type RecoverReply = readonly [
  recovered: number,
  flows: 0 | 1,
  more: 0 | 1,
  dropped: readonly number[],
  spoilt: readonly (number | string)[],
];

/** As `lua/bullmq/renew.lua` gives it. */
type RenewReply = readonly (0 | 1 | readonly [reason: string, terminate: 0 | 1])[];

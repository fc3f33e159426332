import { randomBytes } from "node:crypto";
import { counted } from "../errors/words.js";
import { isOwnFault } from "../errors/refusal.js";
import type { Refusal } from "../errors/refusal-code.js";
import type { ConsumeOptions, QueueFault, SettledAndTaken } from "../ports/consumer.js";
import type { Delivery } from "../ports/delivery.js";
import type { Settlement } from "../ports/settlement.js";
import type { Connection } from "../redis/connection.js";
import { isRightMissing, refusalIn } from "../redis/refusal.js";
import { runScript } from "../redis/script.js";
import type { Clock } from "../time/clock.js";
import type { ConsumedQueues } from "./consumed-queues.js";
import { engineScript } from "./engine.js";
import { faultsIn, givenIn, wholeReply, type ExchangeReply } from "./exchange-reply.js";
import type { Continuations } from "./flows/continuations.js";
import type { FlowRunner } from "./flows/flow-runner.js";
import { beginExternal, type ExternalContext } from "./external.js";
import type { Leases } from "./leases.js";
import { LostTakes } from "./lost-takes.js";
import type { QueueAvailability } from "./queue-availability.js";
import type { QueueTurns } from "./queue-turns.js";
import { readDelivery } from "./read-delivery.js";
import type { ResultStore } from "./result-store.js";
import { SettleAgain } from "./settle-again.js";
import { settlementArguments } from "./settlement-arguments.js";
import { SettlementReplies } from "./settlement-replies.js";
import type { StoredAhead } from "./stored-ahead.js";
import { TakeTries } from "./take-tries.js";

export interface SettleAndTakeOptions extends Pick<ConsumeOptions, "lease" | "worker"> {
  readonly commands: Connection;
  readonly queues: ConsumedQueues;
  readonly turns: QueueTurns;
  readonly availability: QueueAvailability;
  readonly results: ResultStore;
  readonly stored: StoredAhead;
  readonly continuations: Continuations;
  readonly flowRunner: FlowRunner;
  readonly leases: Leases;
  readonly external: Omit<ExternalContext, "settle">;
  readonly clock: Clock;
  readonly takeWatch: ConsumeOptions["takeWatch"];
  /** Longest message that is read, in bytes. */
  readonly maxMessageBytes: number;
  /** Longest time that a call may take, outages included, in ms. */
  readonly deadline: number;
  /** Is called when queues have begun to rest. */
  readonly onResting: (now: number) => void;
  /** Is called with the reason of each failure of a part of a call. */
  readonly onConnectionError?: (reason: string) => void;
}

export interface SettleAndTakeRequest {
  readonly settle: readonly Settlement[];
  readonly take: number;
  /** Whether these are successes whose leases had run out. Default: false. */
  readonly late?: boolean;
}

/** How long a queue rests whose keys hold something of another kind, in ms. */
const spoiltPause = 1000;

export const settleAndTakeScript = engineScript("settle-and-take");

/**
 * `Consumer.settleAndTake`: settles and takes in one script, and settles again what that could not
 * settle.
 */
export class SettleAndTake {
  readonly #options: SettleAndTakeOptions;
  readonly #again: SettleAgain;
  readonly #lostTakes: LostTakes;
  readonly #tokens = randomBytes(12).toString("base64url");
  #calls = 0;

  constructor(options: SettleAndTakeOptions) {
    const { results, continuations, stored, onConnectionError } = options;
    this.#options = options;
    this.#lostTakes = new LostTakes(options.queues.prefixes);
    this.#again = new SettleAgain({
      results,
      continuations,
      stored,
      settle: (settle, late) => this.run({ settle, take: 0, late }),
      ...(onConnectionError && { onConnectionError }),
    });
  }

  async run({ settle, take, late = false }: SettleAndTakeRequest): Promise<SettledAndTaken> {
    const { results, stored, continuations, queues, availability, takeWatch } = this.#options;
    await stored.store(settle);
    const records = results.arguments(stored.left(settle));
    const {
      groups,
      args,
      order: sent,
    } = settlementArguments(
      continuations.currents(settle),
      (queue) => queues.numberOf(queue),
      (queue) => queues.retentionOf(queue),
      late,
    );
    const next = continuations.arguments(sent, records.order);
    const token = `${this.#tokens}:${this.#calls++}`;
    const tries = new TakeTries({ token, take, lostTakes: this.#lostTakes, availability, watch: takeWatch });
    try {
      const reply = await this.#send(tries, { settle, take, groups, args: [...args, ...records.args, ...next] });
      const replies = new SettlementReplies(reply[0], {
        settle,
        sent,
        repeated: tries.repeated,
        current: (settlement) => continuations.current(settlement),
      });
      return await this.#finish(reply, { settle, sent, late, tries, replies });
    } catch (error) {
      tries.arrived();
      tries.lost();
      if (records.order.length > 0) stored.doubt();
      throw error;
    }
  }

  async #send(tries: TakeTries, { settle, take, groups, args }: Sent): Promise<ExchangeReply> {
    const { commands, deadline, queues, turns, results, clock, lease, worker, maxMessageBytes } = this.#options;
    const action = `${counted(settle.length, "task was", "tasks were")} not settled`;
    return commands.run({ action, deadline }, async (client) => {
      tries.lost();
      if (!this.#lostTakes.empty) await this.#lostTakes.putBack(client);
      const now = clock.now();
      const asked = turns.next(take, now);
      tries.begin(asked);
      const order = turns.order === "strict" ? "strict" : "turns";
      const head = [now, lease, worker, tries.token, take, order, ...results.head(), maxMessageBytes, groups];
      return wholeReply(await runScript(client, settleAndTakeScript, queues.scriptKeys, [...head, ...args, ...asked]));
    });
  }

  async #finish(reply: ExchangeReply, { settle, sent, late, tries, replies }: Answered): Promise<SettledAndTaken> {
    const { continuations, flowRunner, leases, external } = this.#options;
    const [, , , , held, behind, dropped] = reply;
    const { deliveries, faults, refusals } = this.#read(reply, tries);
    flowRunner.begin(behind);
    leases.noteDropped(dropped);
    const heldSettlements = new Set(held.map((number) => sent[number - 1]));
    const [ready] = await Promise.all([
      beginExternal(deliveries, { ...external, settle: (ended) => this.run({ settle: ended, take: 0 }) }),
      this.#again.held(
        settle.filter((settlement) => heldSettlements.has(continuations.current(settlement))),
        replies,
      ),
      late ? undefined : this.#again.late(replies.lost, replies),
    ]);
    const refused = await this.#options.commands.denied([...refusals, ...replies.refusedElsewhere], settleAndTakeScript);
    const isOurs = tries.arrived();
    if (!isOurs) tries.lost();
    return {
      deliveries: isOurs ? ready : [],
      ...replies.result(),
      ...(refused && { refused }),
      ...(faults.length > 0 && { faults }),
    };
  }

  /** Reads what was taken, and notes what is known of the queues by now. */
  #read(reply: ExchangeReply, tries: TakeTries): Taken {
    const { queues, availability, clock, maxMessageBytes, onResting, onConnectionError } = this.#options;
    const [, given, dry, flatFaults] = reply;
    const gave = new Set<number>();
    const deliveries = givenIn(given).map((one) => {
      gave.add(one.queue - 1);
      return readDelivery(one, { queue: queues.nameOf(one.queue), token: tries.token, maxMessageBytes });
    });
    const now = clock.now();
    const all = faultsIn(flatFaults).map(({ queue, why, left }): QueueFault => {
      return { queue: queues.nameOf(queue), left, ...(why !== null && { refusal: refusalIn(why) }) };
    });
    const faults = all.filter(({ refusal }) => refusal === undefined || isOwnFault(refusal));
    const broken = all.find(({ refusal }) => refusal !== undefined && !isOwnFault(refusal))?.refusal;
    for (const { queue, refusal } of faults) if (refusal !== undefined) availability.backOff(queues.numberOf(queue) - 1, now + spoiltPause);
    availability.answered(tries.look, now, {
      gave,
      dry: dry.map(([queue, limited, due, heldBack]) => ({ queue: queue - 1, limited, due, heldBack: heldBack === 1 })),
      broken: broken !== undefined,
    });
    if (broken !== undefined && !isRightMissing(broken)) onConnectionError?.(broken.reason);
    onResting(now);
    return { deliveries, faults, refusals: all.flatMap(({ refusal }) => refusal ?? []) };
  }
}

/** What goes into one call. */
interface Sent extends Pick<SettleAndTakeRequest, "settle" | "take"> {
  readonly groups: number;
  readonly args: readonly (string | number)[];
}

interface Answered {
  readonly settle: readonly Settlement[];
  /** In the order in which the script had them. */
  readonly sent: readonly Settlement[];
  readonly late: boolean;
  readonly tries: TakeTries;
  readonly replies: SettlementReplies;
}

interface Taken {
  readonly deliveries: readonly Delivery[];
  readonly faults: readonly QueueFault[];
  /** Why something could not be taken. */
  readonly refusals: readonly Refusal[];
}

import { randomBytes } from "node:crypto";
import { systemTiming } from "../shared-timer.js";
import { clip, textLimits } from "../clip.js";
import { steadyClock, systemClock } from "../clock.js";
import type { ConsumeOptions, Consumer, SettledAndTaken, LoanData, QueueFault } from "../ports/consumer.js";
import type { Delivery, Verdict } from "../ports/delivery.js";
import type { Settled, Settlement } from "../ports/settlement.js";
import { longestMessageOf } from "../protocol/codec.js";
import type { StoreRequest } from "../ports/results.js";
import { openConnection } from "../redis/connection.js";
import type { DeadLinks } from "../redis/dead-links.js";
import { checkEviction } from "../redis/eviction.js";
import { flowIndexKey, ownQueueKey, queueKey } from "../redis/keys.js";
import { plainLocation, type CompiledLocation } from "../redis/location.js";
import { shownReply } from "../redis/reason.js";
import { missingCommands } from "../redis/probe-rights.js";
import { saysDenied, saysMissing } from "../redis/rights.js";
import { runScript } from "../redis/script.js";
import type { Retention } from "../ports/retention.js";
import { defaultRetention } from "../routing/retention.js";
import { isFaultOf, isOwnFault, isRefused } from "../redis/refused.js";
import { within } from "../within.js";
import { readContent, tooLong } from "./content.js";
import { engineScript } from "./engine.js";
import { plainCommands, workerScripts } from "./worker-scripts.js";
import { faultsIn, givenIn, wholeReply, type ExchangeReply, type Fault, type Marks } from "./exchange-reply.js";
import { beginExternal, type ExternalContext } from "./external.js";
import { lateSuccesses } from "./late-successes.js";
import { openLeases } from "./leases.js";
import { queueNotes } from "./note-queues.js";
import { openPromote } from "./promote.js";
import { QueueAvailability, type Look } from "./queue-availability.js";
import type { ResultStore } from "./result-store.js";
import { FlowRunner } from "./flows/flow-runner.js";
import { Continuations, isFollowed } from "./flows/continuations.js";
import { FlowStore } from "./flows/flow-store.js";
import { repairFlows } from "./flows/repair-flows.js";
import { settlementArguments } from "./settlement-arguments.js";
import { from, oneRound } from "./turns.js";
import { LostTakes } from "./lost-takes.js";
import { WakeupListener } from "./wakeup-listener.js";
import { counted } from "../words.js";

export interface ConsumerContext {
  readonly location: CompiledLocation;
  readonly results: ResultStore;
  readonly prefix: string;
  /** Shared with the other connections of the app. */
  readonly deadLinks?: DeadLinks;
  readonly onConnectionError?: (reason: string) => void;
}

/** Longest time that closing waits for what is left to do in flows, in ms. */
const closing = 500;

/** Longest time that a call may take, outages included, in ms. */
const deadline = 5000;

/** Longest time that a blocking read lasts, in ms; its link is given up after a fifth more. Shorter with a lease of less than 15 s. */
const longestRead = 10_000;

/** How long a queue rests whose keys hold something of another kind, in ms. */
const spoiltFor = 1000;

/** Longest message that a consumer reads if nobody says more, in bytes. */
const defaultLongest = longestMessageOf(0);

const exchangeScript = engineScript("settle-and-take");

/** The consuming side of some queues: one connection for commands and one that blocks, however many queues. */
export function openConsumer(options: ConsumeOptions, context: ConsumerContext): Consumer {
  const { location, results, prefix } = context;
  const { lease, scan = lease / 3, worker, order, takeWatch, allowEviction = false, longestMessage = defaultLongest } = options;
  const silence = lease / 3;
  const reading = Math.min(longestRead, (lease * 2) / 3);
  const trouble = context.onConnectionError && { onConnectionError: context.onConnectionError };
  const shared = { ...trouble, ...(context.deadLinks && { deadLinks: context.deadLinks }) };
  const commands = openConnection(location, { service: "broker", name: `bullrush:${worker}`, silence, ...shared });

  const names = options.queues.map(({ name }) => name);
  const indexes = new Map(names.map((name, index) => [name, index]));
  const prefixes = names.map((name) => queueKey(prefix, name));
  const queues = options.queues.map(({ name, retention = defaultRetention(24 * 60 * 60 * 1000) }) => ({
    name,
    own: ownQueueKey(prefix, name),
    retention,
  }));
  const exchangeKeys = queues.flatMap(({ name, own }) => [queueKey(prefix, name), own]);
  const clock = systemClock;
  const availability = new QueueAvailability(names.length);
  const wakeups = new WakeupListener({
    bell: openConnection(location, {
      service: "broker",
      name: `bullrush:${worker}:bell`,
      silence: Math.max(reading * 1.2, reading + 250),
      ...shared,
    }),
    commands,
    markers: prefixes.map((key) => `${key}marker`),
    availability,
    clock,
    timing: systemTiming,
    longest: reading,
    deadline,
  });
  const round = order === "strict" ? names.map((_, index) => index) : oneRound(options.queues);
  const tokens = randomBytes(12).toString("base64url");
  const external: ExternalContext = {
    commands,
    keyOf: (queue) => queueKey(prefix, queue),
    deadline,
    settle: (settle) => exchange({ settle, take: 0 }),
    ...trouble,
  };
  /** Settlements whose result was stored in a call before. */
  const stored = new WeakSet<Settlement>();
  const unheard = new LostTakes(prefixes);
  const flows = new FlowStore(commands, { prefix, deadline, noteQueues: queueNotes(prefix, steadyClock) });
  const continuations = new Continuations(results, flows, prefix);
  const carrier = new FlowRunner(flows, results);
  const leases = openLeases({ commands, prefixes, queues, flowIndex: flowIndexKey(prefix), numberOf, lease, scan, deadline });
  let probed: Promise<string | undefined> | undefined;
  let turn = 0;
  let exchanges = 0;

  /** The number by which the scripts know a queue. */
  function numberOf(queue: string): number {
    return (indexes.get(queue) as number) + 1;
  }

  function retentionOf(queue: string): Retention {
    return (queues[numberOf(queue) - 1] as (typeof queues)[number]).retention;
  }

  async function open(): Promise<readonly string[]> {
    let missing: readonly string[] = [];
    const warnings = await commands.run({ action: "the worker did not start", deadline }, async (client) => {
      const before = Date.now();
      const [seconds, microseconds] = await client.time();
      const skew = Number(seconds) * 1000 + Number(microseconds) / 1000 - (before + Date.now()) / 2;
      const evicting = await checkEviction(client, location.display, allowEviction);
      missing = await missingCommands(client, prefixes[0] as string, workerScripts());
      return [
        ...(Math.abs(skew) > 2000
          ? [`the clock of ${location.display} differs by ${Math.round(skew)} ms: delays will be off by as much`]
          : []),
        ...(evicting === undefined ? [] : [evicting]),
      ];
    });
    const lacking = missing.length === 0 ? undefined : await commands.denied([saysMissing(missing)], exchangeScript);
    // Nothing could ever be taken, settled or held.
    const plain = lacking === undefined ? undefined : await plainCommands();
    if (lacking !== undefined && missing.some((command) => plain?.has(command))) throw lacking;
    const lacks = lacking === undefined ? [] : [`${lacking.message}; what needs that fails`];
    const apart = await probe();
    return apart === undefined
      ? [...warnings, ...lacks]
      : [...warnings, ...lacks, `results are stored in calls of their own, which is slower: ${apart}`];
  }

  /** Finds out, once, whether results can be stored along. */
  function probe(): Promise<string | undefined> {
    return (probed ??= results.probe(commands, deadline).catch((error: unknown) => {
      probed = undefined;
      throw error;
    }));
  }

  async function store(settlements: readonly Settlement[]): Promise<void> {
    await probe();
    if (results.storesInSettlement) return;
    const unstored = settlements.filter((settlement) => !stored.has(settlement));
    const records = unstored.flatMap(recordsOf);
    const replies = await results.store(records);
    const refused = new Set(records.filter((_, index) => replies[index] === "superseded"));
    const superseded = refused.size === 0 ? [] : unstored.filter(({ store: request }) => request !== undefined && refused.has(request));
    await continuations.supersede(superseded.filter(isFollowed));
    for (const settlement of unstored) stored.add(settlement);
  }

  /** @param late whether these are successes whose leases had run out */
  async function exchange({ settle, take, late = false }: ExchangeRequest): Promise<SettledAndTaken> {
    await store(settle);
    const unstored = results.storesInSettlement ? settle.filter((settlement) => !stored.has(settlement)) : [];
    const records = results.arguments(unstored.flatMap(recordsOf));
    const { groups, args, order: sent } = settlementArguments(continuations.currents(settle), numberOf, retentionOf, late);
    const next = continuations.arguments(sent, records.order);
    const number = exchanges++;
    // A second try of the same call must not take under the tokens of the first, whose deliveries nobody got.
    let tries = 0;
    let token = "";
    let look = availability.look([]);
    let watched: number | undefined;
    /** Nobody has what the last try took. */
    const noteLoss = () => {
      if (tries === 0 || take === 0) return;
      unheard.add(token);
      availability.lost(look);
    };
    /** Whether what the last try took is ours to run. */
    const arrived = () => {
      const isOurs = watched === undefined || takeWatch?.ended(watched) !== false;
      watched = undefined;
      return isOurs;
    };
    try {
      const reply = await commands.run(
        { action: `${counted(settle.length, "task was", "tasks were")} not settled`, deadline },
        async (client) => {
          noteLoss();
          if (!unheard.empty) await unheard.putBack(client);
          const now = clock.now();
          token = `${tokens}:${number}:${tries++}`;
          arrived();
          if (take > 0) watched = takeWatch?.begun(token);
          const asked = turns(take, now);
          look = availability.look([...new Set(asked.map((turn) => Math.abs(turn) - 1))]);
          const head = [
            now,
            lease,
            worker,
            token,
            take,
            order === "strict" ? "strict" : "turns",
            ...results.head(),
            longestMessage,
            groups,
          ];
          return wholeReply(await runScript(client, exchangeScript, exchangeKeys, [...head, ...args, ...records.args, ...next, ...asked]));
        },
      );
      const call = { settle, sent, token, look, repeated: tries > 1 };
      const { deliveries, settled, faults } = read(reply, call);
      carrier.begin(reply[5]);
      leases.noteDropped(reply[6]);
      /** Why what was settled once more in a call of its own was refused. */
      const reasons = new Map<Settlement, string>();
      const [given] = await Promise.all([
        beginExternal(deliveries, external),
        settleHeld(reply, call, settled, reasons),
        late ? undefined : settleLate(settle, settled, reasons),
      ]);
      const refused = {
        ...refusalsIn(reply[0], call, (settlement) => continuations.current(settlement), reasons),
        ...(await refusedIn(reply, sent)),
        ...(faults && { faults }),
      };
      if (!arrived()) {
        noteLoss();
        return { deliveries: [], settled, ...refused };
      }
      return { deliveries: given, settled, ...refused };
    } catch (error) {
      arrived();
      noteLoss();
      // What a user may do can change.
      if (records.order.length > 0) probed = undefined;
      throw error;
    }
  }

  /** That the user of this Redis may not do what the script wanted to do. */
  async function refusedIn([wrong, , , faults]: ExchangeReply, sent: readonly Settlement[]): Promise<Pick<SettledAndTaken, "refused">> {
    if (faults.length === 0 && wrong.length === 0) return {};
    const replies = faultsIn(faults).flatMap(({ why }) => why ?? []);
    for (let at = 0; at < wrong.length; at += 2) {
      const reply = wrong[at + 1];
      if (typeof reply === "string" && !isFaultOf((sent[Number(wrong[at]) - 1] as Settlement).delivery, reply)) replies.push(reply);
    }
    const refused = await commands.denied(replies, exchangeScript);
    return refused === undefined ? {} : { refused };
  }

  /** Settles once more what was held because another result had been stored, and notes in `settled` what became of it, and in `reasons` why it was refused. Never rejects. */
  async function settleHeld(
    { 4: held }: ExchangeReply,
    { settle, sent }: Call,
    settled: Settled[],
    reasons: Map<Settlement, string>,
  ): Promise<void> {
    if (held.length === 0) return;
    const currents = new Set(held.map((number) => sent[number - 1]));
    const again = settle.filter((settlement) => currents.has(continuations.current(settlement)));
    for (const settlement of again) stored.add(settlement);
    let replies: readonly Settled[] = again.map(() => "again");
    try {
      await continuations.supersede(again);
      const second = await exchange({ settle: again, take: 0 });
      replies = second.settled;
      noteReasons(again, second, reasons);
    } catch (error) {
      if (isRefused(error)) for (const settlement of again) reasons.set(settlement, error instanceof Error ? error.message : String(error));
      context.onConnectionError?.(error instanceof Error ? error.message : String(error));
    }
    again.forEach((settlement, index) => (settled[settle.indexOf(settlement)] = replies[index] as Settled));
  }

  /** Settles successes whose leases had run out, and notes in `settled` that they are, or in `reasons` why not. Never rejects: what is not known to count is lost. */
  async function settleLate(settle: readonly Settlement[], settled: Settled[], reasons: Map<Settlement, string>): Promise<void> {
    if (!settled.includes("lost")) return;
    try {
      const late = await lateSuccesses(
        settle.filter((_, index) => settled[index] === "lost"),
        results,
      );
      if (late.length === 0) return;
      for (const settlement of late) stored.add(settlement);
      const second = await exchange({ settle: late, take: 0, late: true });
      late.forEach((settlement, index) => (settled[settle.indexOf(settlement)] = second.settled[index] as Settled));
      noteReasons(late, second, reasons);
    } catch (error) {
      context.onConnectionError?.(error instanceof Error ? error.message : String(error));
    }
  }

  /** The queues in their turn. Those that were empty come first, and only if their marker says that there is something: turns among the others would be lost on them. */
  function turns(take: number, now: number): readonly number[] {
    if (take === 0) return [];
    const open = round.filter((index) => !availability.isBackedOff(index, now));
    const marked = (index: number) => -(index + 1);
    if (order === "strict") return open.map((index) => (availability.mayHold(index, now) ? index + 1 : marked(index)));
    const full = open.filter((index) => availability.mayHold(index, now));
    const empty = [...new Set(open)].filter((index) => !availability.mayHold(index, now));
    const start = turn;
    turn += take;
    return [...empty.map(marked), ...from(full, start).map((index) => index + 1)];
  }

  function read([wrong, given, dry, flatFaults]: ExchangeReply, call: Call): SettledAndTaken & { readonly settled: Settled[] } {
    const gave = new Set<number>();
    const deliveries = givenIn(given).map(({ queue, id, name, text, priority, times, ended, token, revoked, crashes }): Delivery => {
      gave.add(queue - 1);
      return {
        queue: names[queue - 1] as string,
        id,
        number: times,
        endedBefore: ended,
        crashes,
        ...(typeof revoked === "string" ? { revoked: clip(revoked, textLimits.reason) } : revoked !== null && marksOf(revoked)),
        ...(text !== null && { bytes: typeof text === "number" ? text : Buffer.byteLength(text) }),
        token: `${call.token}:${token}`,
        content: typeof text === "number" ? tooLong(text, longestMessage) : readContent(id, name, text, priority),
      };
    });
    const now = clock.now();
    const faults = faultsIn(flatFaults);
    const broken = faults.find(({ why }) => why !== null && !isOwnFault(why))?.why ?? null;
    const own = faults.filter(({ why }) => why === null || isOwnFault(why));
    for (const { queue, why } of own) if (why !== null) availability.backOff(queue - 1, now + spoiltFor);
    availability.answered(call.look, now, {
      gave,
      dry: dry.map(([queue, limited, due, heldBack]) => ({ queue: queue - 1, limited, due, heldBack: heldBack === 1 })),
      broken: broken !== null,
    });
    if (broken !== null && !saysDenied(broken)) context.onConnectionError?.(shownReply(broken));
    passOnResting(now);
    return {
      deliveries,
      settled: settledIn(wrong, call, (settlement) => continuations.current(settlement)),
      ...(own.length > 0 && { faults: own.map(faultOf) }),
    };
  }

  function faultOf({ queue, why, left }: Fault): QueueFault {
    return { queue: names[queue - 1] as string, left, ...(why !== null && { reason: shownReply(why) }) };
  }

  /** It is tried again before the next wait if it fails. */
  function passOnResting(now: number): void {
    wakeups.passOnResting(now).catch(() => undefined);
  }

  function rest(queue: string, pause: number): void {
    const now = clock.now();
    availability.backOff(numberOf(queue) - 1, now + pause);
    passOnResting(now);
  }

  function loanData(): LoanData {
    return { location: plainLocation(location), rotates: location.password !== undefined, prefixes, lease, worker };
  }

  async function close(): Promise<void> {
    wakeups.close();
    // What it has begun in flows is done sooner by itself than by those who mend.
    await within(carrier.ended(), closing, () => undefined);
    commands.close();
  }

  return {
    open,
    loans: {
      get data() {
        return loanData();
      },
      watch: (listener) => location.password?.listen(() => listener(loanData())) ?? (() => {}),
    },
    get storesInSettlement() {
      return results.storesInSettlement;
    },
    store,
    settleAndTake: exchange,
    wait: () => wakeups.wait(),
    stopListening: () => wakeups.close(),
    releaseWakeups: () => wakeups.release(),
    hasWork: () => availability.hasWork(clock.now()),
    nextLookAt: () => availability.nextLookAt(),
    assumeWork: () => availability.assumeWork(),
    backOff: rest,
    promote: openPromote({ commands, prefixes, indexes, deadline }),
    renew: leases.renew,
    begin: leases.begin,
    end: leases.end,
    recover: leases.recover,
    droppedDeadLetters: leases.droppedDeadLetters,
    repairFlows: (stale) => (leases.takeNoFlows() ? Promise.resolve(0) : repairFlows({ flows, carrier, results }, stale)),
    close,
  };
}

/** What the fields `verdict` and `unknownSince` of a job say. */
function marksOf([verdict, unknownSince]: Marks): Pick<Delivery, "verdict" | "unknownSince"> {
  return {
    ...(verdict !== null && { verdict: verdictOf(verdict) }),
    ...(Number.isFinite(Number(unknownSince ?? NaN)) && { unknownSince: Number(unknownSince) }),
  };
}

/** What the field `verdict` of a job says. */
function verdictOf(text: string): Verdict {
  const [, limit] = /^time-limit (\d+)$/.exec(text) ?? [];
  return limit === undefined ? { type: "succeeded" } : { type: "time-limit", limit: Number(limit) };
}

/** What a settlement has stored: first its own record. */
function recordsOf({ store: request, copies = [] }: Settlement): readonly StoreRequest[] {
  return request === undefined ? copies : [request, ...copies];
}

interface ExchangeRequest {
  readonly settle: readonly Settlement[];
  readonly take: number;
  readonly late?: boolean;
}

interface Call {
  readonly settle: readonly Settlement[];
  /** In the order in which the script had them. */
  readonly sent: readonly Settlement[];
  /** What the tokens of its deliveries start with. */
  readonly token: string;
  readonly look: Look;
  /** Whether an earlier try may have settled already what is no longer on loan. */
  readonly repeated: boolean;
}

/** Why settlements were refused, if any were. */
function refusalsIn(
  wrong: ExchangeReply[0],
  { settle, sent }: Call,
  current: (settlement: Settlement) => Settlement,
  reasons: ReadonlyMap<Settlement, string>,
): Pick<SettledAndTaken, "refusals"> | undefined {
  const texts = new Map<Settlement | undefined, string>();
  for (let at = 0; at < wrong.length; at += 2) {
    const code = wrong[at + 1];
    if (typeof code === "string") texts.set(sent[Number(wrong[at]) - 1], shownReply(code));
  }
  if (texts.size === 0 && reasons.size === 0) return undefined;
  return { refusals: settle.map((settlement) => reasons.get(settlement) ?? texts.get(current(settlement))) };
}

/** Notes in `reasons` why some of `settle` were refused in a call of their own. */
function noteReasons(settle: readonly Settlement[], { refusals }: SettledAndTaken, reasons: Map<Settlement, string>): void {
  settle.forEach((settlement, index) => {
    const reason = refusals?.[index];
    if (reason !== undefined) reasons.set(settlement, reason);
  });
}

/** @param wrong pairs of a settlement's number and what went wrong with it */
function settledIn(wrong: ExchangeReply[0], { settle, sent, repeated }: Call, current: (settlement: Settlement) => Settlement): Settled[] {
  const others = new Map<Settlement | undefined, Settled>();
  for (let at = 0; at < wrong.length; at += 2) {
    const code = wrong[at + 1];
    others.set(sent[Number(wrong[at]) - 1], typeof code === "string" ? "again" : repeated ? "settled" : "lost");
  }
  return settle.map((settlement) => others.get(current(settlement)) ?? "settled");
}

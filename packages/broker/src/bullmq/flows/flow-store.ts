import { callId } from "../../id.js";
import { encodeMessage } from "../../protocol/codec.js";
import type { Flow, FlowCall } from "../../protocol/flow.js";
import type { Place } from "../../protocol/place.js";
import type { FlowRevocation } from "../../ports/transport.js";
import type { Connection } from "../../redis/connection.js";
import { flowIndexKey, flowKeys, queueKey } from "../../redis/keys.js";
import { runScript, type Argument, type Script } from "../../redis/script.js";
import { engineScript } from "../engine.js";
import type { Ending } from "./endings.js";
import type { Known } from "./wanted.js";

const scripts = {
  keep: engineScript("flow/keep"),
  begin: engineScript("flow/begin"),
  sendBacklog: engineScript("flow/send-backlog"),
  callOff: engineScript("flow/call-off"),
  continue: engineScript("flow/continue"),
  stale: engineScript("flow/stale"),
  locate: engineScript("locate"),
};

/** Most that is kept in one call, so that none holds Redis for long: arguments, characters. */
const most = { fields: 1000, characters: 512 * 1024 };

/** A flow that has not gone on for a while. */
export interface StaleFlow {
  readonly id: string;
  readonly queues: readonly string[];
  /** Whether calls of it are left to be sent. */
  readonly behind: boolean;
  /** The calls that were sent and have not ended, at most 1000. */
  readonly sent: readonly SentCall[];
  /** How long results are kept, in ms. */
  readonly expires: number;
  /** Reply channel, or "". */
  readonly to: string;
}

/** A call that was sent. */
export interface SentCall {
  readonly id: string;
  readonly places: readonly Place[];
}

/** The flows that have not ended, as the broker keeps them. */
export class FlowStore {
  readonly #commands: Connection;
  readonly #prefix: string;
  readonly #deadline: number;

  /** @param deadline of one call, in ms */
  constructor(commands: Connection, { prefix, deadline }: { readonly prefix: string; readonly deadline: number }) {
    this.#commands = commands;
    this.#prefix = prefix;
    this.#deadline = deadline;
  }

  /** `Transport.startFlow` */
  async start(flow: Flow): Promise<void> {
    const action = `flow ${flow.id} not confirmed; it may still run, and starting it again with the same id is safe`;
    const keys = this.#keysOf(flow.id);
    const lots = lotsOf(fieldsOf(flow));
    const last = lots.pop() ?? [];
    for (const lot of lots) await this.#run(action, scripts.keep, keys, () => [Date.now(), flow.id, ...lot]);
    const head = headOf(flow);
    const behind = await this.#run(action, scripts.begin, keys, (repeated) => {
      // The first try may have begun it, and it may have ended since.
      const resent = repeated ? ["resent", "1"] : [];
      return [...this.#surroundings(), flow.id, JSON.stringify(flow.entries), ...head, ...resent, ...last];
    });
    if (Number(behind) > 0) await this.sendBacklog(flow.id);
  }

  /** Sends all that is left to be sent of a flow. */
  async sendBacklog(flow: string): Promise<void> {
    const action = `the backlog of flow ${flow} was not sent`;
    let left = 1;
    while (left > 0) {
      left = Number(await this.#run(action, scripts.sendBacklog, [flowIndexKey(this.#prefix)], () => [...this.#surroundings(), flow]));
    }
  }

  /** `Transport.revokeFlow` */
  async callOff(flow: string, calls: "all" | readonly number[]): Promise<FlowRevocation | undefined> {
    const numbers = calls === "all" ? [] : calls;
    const reply = await this.#run(`flow ${flow} was not revoked`, scripts.callOff, this.#keysOf(flow), () => numbers);
    if (reply === null) return undefined;
    const [open, queues, odd] = reply as [number[], string, string];
    const ids = JSON.parse(odd) as Readonly<Record<number, string>>;
    return { ids: open.map((number) => ids[number] ?? callId(flow, number)), queues: JSON.parse(queues) as readonly string[] };
  }

  /** Does what follows upon the end of a call whose message is gone. Gives what is wanted first, JSON, if anything is. */
  async continue(places: readonly Place[], ending: Ending, known: Known): Promise<string | undefined> {
    const [wanted, behind] = (await this.#run("a flow did not go on", scripts.continue, [flowIndexKey(this.#prefix)], () => [
      ...this.#surroundings(),
      JSON.stringify(places),
      ...ending,
      JSON.stringify(known),
    ])) as [string | null, readonly string[]];
    for (const flow of behind) await this.sendBacklog(flow);
    return wanted ?? undefined;
  }

  /** Those that have not gone on for `stale` ms, a hundred at most, those that have stood longest first; whoever asks within the next `stale` ms does not get them again. */
  async stale(stale: number): Promise<readonly StaleFlow[]> {
    const reply = await this.#run("flows were not looked after", scripts.stale, [flowIndexKey(this.#prefix)], () => [
      Date.now(),
      flowKeys(this.#prefix),
      stale,
    ]);
    return (
      reply as [id: string, behind: number, queues: string, odd: string, edges: string, expires: string, to: string, sent: number[]][]
    ).map(([id, behind, queues, odd, edges, expires, to, sent]) => {
      const ids = JSON.parse(odd) as Readonly<Record<number, string>>;
      const all = JSON.parse(edges) as readonly Edge[];
      return {
        id,
        behind: behind > 0,
        queues: JSON.parse(queues) as readonly string[],
        expires: Number(expires),
        to,
        sent: sent.map((call) => ({ id: ids[call] ?? callId(id, call), places: placesOf(id, call, all) })),
      };
    });
  }

  /** Which of the calls have no message in `queues` that has not ended. */
  async absent(calls: readonly SentCall[], queues: readonly string[]): Promise<readonly SentCall[]> {
    if (calls.length === 0) return [];
    const keys = queues.map((queue) => queueKey(this.#prefix, queue));
    const everywhere = queues.map((_, index) => index + 1);
    const replies = await this.#run("calls of flows were not looked up", scripts.locate, keys, () =>
      calls.flatMap(({ id }) => [id, everywhere.length, ...everywhere]),
    );
    return calls.filter((_, index) => (replies as unknown[])[index] === 0);
  }

  #keysOf(flow: string): readonly string[] {
    return [flowKeys(this.#prefix) + flow, flowIndexKey(this.#prefix)];
  }

  /** What the scripts that send read first. */
  #surroundings(): readonly Argument[] {
    return [Date.now(), flowKeys(this.#prefix), `${this.#prefix}:`];
  }

  #run(action: string, script: Script, keys: readonly string[], args: (repeated: boolean) => readonly Argument[]): Promise<unknown> {
    return this.#commands.run({ action, deadline: this.#deadline }, (client, repeated) => runScript(client, script, keys, args(repeated)));
  }
}

/** Fields of the hash that say what holds for the whole flow. */
function headOf({ id, calls, joins, replyTo = "", expires, maxPayload }: Flow): readonly Argument[] {
  const queues = [...new Set(calls.map(({ queue }) => queue))];
  const odd = calls.flatMap(({ message }, number) => (message.id === callId(id, number) ? [] : [[number, message.id] as const]));
  return [
    "left",
    calls.length,
    "calls",
    calls.length,
    "limit",
    maxPayload,
    "expires",
    expires,
    "to",
    replyTo,
    "queues",
    JSON.stringify(queues),
    "odd",
    JSON.stringify(Object.fromEntries(odd)),
    "edges",
    JSON.stringify(edgesOf(calls)),
    ...joins.flatMap(({ onFailure, ...join }, number) => [`j${number}`, JSON.stringify({ ...join, partial: onFailure === "partial" })]),
  ];
}

/** The calls, each as the field and the value under which it waits for its turn. */
function fieldsOf({ calls }: Flow): readonly (readonly [field: string, value: string])[] {
  return calls.map((call, number) => [`c${number}`, `${JSON.stringify(callHead(call))}\n${call.text ?? encodeMessage(call.message)}`]);
}

/** What the scripts have to know of a call, in the terms of `lua/bullmq/flow/following.lua`. */
function callHead({ queue, message, takesValue, countdown, lifetime }: FlowCall): object {
  const { id, task, priority, eta, resent, places, standsFor } = message;
  return { queue, id, task, priority, takesValue, countdown, lifetime, eta, resent, places, standsFor };
}

function lotsOf(fields: readonly (readonly [string, string])[]): Argument[][] {
  const lots: Argument[][] = [];
  let lot: Argument[] = [];
  let characters = 0;
  for (const [field, value] of fields) {
    if (lot.length > 0 && (lot.length >= most.fields || characters + value.length > most.characters)) {
      lots.push(lot);
      lot = [];
      characters = 0;
    }
    lot.push(field, value);
    characters += value.length;
  }
  lots.push(lot);
  return lots;
}

/** Where values go from the calls `first` to `last`: the next slot of a join for each further one, or the same targets. */
type Edge = readonly [first: number, last: number, places: readonly Place[]];

/** The places of all calls, in short: the members of a group, which differ in their slots alone, are one. */
function edgesOf(calls: readonly FlowCall[]): readonly Edge[] {
  const edges: [number, number, readonly Place[]][] = [];
  calls.forEach(({ message: { places = [] } }, call) => {
    const last = edges.at(-1);
    if (last !== undefined && continues(last, places)) last[1] = call;
    else edges.push([call, call, places]);
  });
  return edges;
}

function continues([first, last, places]: Edge, [place, ...others]: readonly Place[]): boolean {
  const target = slotOf(places);
  const next = place && slotOf([place]);
  if (target === undefined || next === undefined || others.length > 0) return false;
  return next.join === target.join && next.slot === target.slot + last + 1 - first;
}

/** The slot to which a call's value goes, if it goes nowhere else. */
function slotOf([place, ...others]: readonly Place[]): { readonly join: number; readonly slot: number } | undefined {
  const [target, ...further] = place?.next ?? [];
  if (others.length > 0 || further.length > 0 || target?.[0] !== "slot") return undefined;
  return { join: target[1], slot: target[2] };
}

function placesOf(flow: string, call: number, edges: readonly Edge[]): readonly Place[] {
  const [first, , places] = edges.find(([from, to]) => from <= call && call <= to) as Edge;
  const target = slotOf(places);
  if (target === undefined) return places;
  return [{ flow, call, next: [["slot", target.join, target.slot + call - first]] }];
}

import type { Flow } from "../../protocol/flow.js";
import type { FlowPosition } from "../../protocol/flow-position.js";
import type { FlowRevocation } from "../../ports/flows.js";
import type { Location } from "../../ports/queues.js";
import type { Connection } from "../../redis/connection.js";
import { flowIndexKey, flowKeys, queuesKey } from "../../redis/keys.js";
import { runScript, type Argument, type Script } from "../../redis/script.js";
import { engineScript } from "../engine.js";
import { locateArguments, locationOf, type LocateReply } from "../locating.js";
import type { NoteQueues } from "../note-queues.js";
import type { Ending } from "./endings.js";
import { FlowAdditions } from "./additions.js";
import { describeCall, fieldsOf, headOf, batchesOf, type DescribedCall } from "./flow-fields.js";
import { idOfCall, readEdges, readBatch, readNumbers, readOddIds, readQueues, type DoomedBatch } from "./stored-flow.js";
import { readStaleFlow, type SentCall, type StaleFlow, type StaleReply } from "./stale-flow.js";
import { counted } from "../../errors/words.js";

const scripts = {
  keep: engineScript("flow/keep"),
  begin: engineScript("flow/begin"),
  sendBacklog: engineScript("flow/send-backlog"),
  callOff: engineScript("flow/call-off"),
  continue: engineScript("flow/continue"),
  doomed: engineScript("flow/doomed"),
  doom: engineScript("flow/doom"),
  revoke: engineScript("revoke"),
  stale: engineScript("flow/stale"),
  locate: engineScript("locate"),
  facts: engineScript("flow/facts"),
  open: engineScript("flow/open"),
};

/** Most messages that are marked in one call, so that none holds Redis for long. */
const maxMarked = 1000;

export interface FlowStoreOptions {
  readonly prefix: string;
  /** Of one call, in ms. */
  readonly deadline: number;
  readonly noteQueues: NoteQueues;
}

/** The flows that have not ended, as the broker keeps them. */
export class FlowStore {
  readonly #commands: Connection;
  readonly #prefix: string;
  readonly #deadline: number;
  readonly #noteQueues: NoteQueues;
  readonly additions: FlowAdditions;

  constructor(commands: Connection, { prefix, deadline, noteQueues }: FlowStoreOptions) {
    this.additions = new FlowAdditions(commands, { prefix, deadline, noteQueues });
    this.#commands = commands;
    this.#prefix = prefix;
    this.#deadline = deadline;
    this.#noteQueues = noteQueues;
  }

  /** `Flows.begin` */
  async start(flow: Flow): Promise<void> {
    const action = `flow ${flow.id} was not confirmed; it may still run, and starting it again with the same id is safe`;
    const keys = this.#keysOf(flow.id);
    const batches = batchesOf(fieldsOf(flow));
    const last = batches.pop() ?? [];
    for (const batch of batches) await this.#run(action, scripts.keep, keys, () => [Date.now(), flow.id, ...batch]);
    const head = headOf(flow);
    const queues = new Set(flow.calls.map(({ queue }) => queue));
    const behind = await this.#commands.run({ action, deadline: this.#deadline }, (client, repeated) => {
      // All of them at once: who sends a later step need not think of it.
      this.#noteQueues(client, queues);
      // The first try may have begun it, and it may have ended since.
      const resent = repeated ? ["resent", "1"] : [];
      const args = [...this.#surroundings(), flow.id, JSON.stringify(flow.entries), ...head, ...resent, ...last];
      return runScript(client, scripts.begin, keys, args);
    });
    if (Number(behind) > 0) await this.sendBacklog(flow.id);
  }

  /** Sends all that is left to be sent of a flow. */
  async sendBacklog(flow: string): Promise<void> {
    let left = 1;
    while (left > 0) left = Number(await this.#runOn(`the backlog of flow ${flow} was not sent`, scripts.sendBacklog, [flow]));
  }

  /** `Flows.revoke` */
  async callOff(flow: string, calls: "all" | readonly number[]): Promise<FlowRevocation | undefined> {
    const found = new Map<number, string>();
    let texts: readonly [queues: string, links: string] | undefined;
    for (let from: number | "" = calls === "all" ? 0 : "", more = true; more;) {
      const args: readonly Argument[] = [from, maxMarked * 10, ...(calls === "all" ? [] : calls)];
      const reply = await this.#run(`flow ${flow} was not revoked`, scripts.callOff, this.#keysOf(flow), () => args);
      // It may have ended meanwhile.
      if (reply === null) break;
      const [open, queues, odd, links, following] = reply as [number[], string | null, string | null, string | null, number];
      const oddIds = readOddIds(odd ?? "");
      for (const number of open) found.set(number, idOfCall(flow, number, oddIds));
      texts = [queues ?? "", links ?? ""];
      from = following;
      more = following > 0;
    }
    if (texts === undefined) return undefined;
    if (calls === "all") for (const link of readNumbers(texts[1])) found.delete(link);
    return { ids: [...found.values()], queues: readQueues(texts[0]) };
  }

  /** Does what follows upon the end of a call whose message is gone. Gives the flows with something left to do. */
  async continue(places: readonly FlowPosition[], ending: Ending): Promise<readonly string[]> {
    const args = [JSON.stringify(places), ...ending];
    return (await this.#runOn("a flow did not go on", scripts.continue, args)) as readonly string[];
  }

  /** The next batch of what is to fail without having run; `undefined` if there is none. */
  async doomed(flow: string): Promise<DoomedBatch | undefined> {
    const reply = await this.#runOn(`what is to fail in flow ${flow} was not read`, scripts.doomed, [flow]);
    if (reply === null) return undefined;
    return readBatch(reply as Parameters<typeof readBatch>[0]);
  }

  /** Lets a batch fail, whose records are stored. Resolves with the flows that have something left to do. */
  async doom(flow: string, { first, units }: DoomedBatch, words: Readonly<Record<number, string>>): Promise<readonly string[]> {
    const args = [flow, first, units, JSON.stringify(words)];
    return (await this.#runOn(`what is to fail in flow ${flow} did not`, scripts.doom, args)) as readonly string[];
  }

  /** Those that have not gone on for `stale` ms, a hundred at most, those that have stood longest first; whoever asks within the next `stale` ms does not get them again. */
  async stale(stale: number): Promise<readonly StaleFlow[]> {
    const args = () => [Date.now(), flowKeys(this.#prefix), stale];
    const reply = await this.#run("flows were not looked after", scripts.stale, [flowIndexKey(this.#prefix)], args);
    return (reply as StaleReply[]).flatMap((one) => readStaleFlow(one) ?? []);
  }

  /** Which of the calls of `flow`, which were sent, have no message in `queues` that has not ended or is not revoked, and have not ended. */
  async gone(flow: string, calls: readonly SentCall[], queues: readonly string[]): Promise<readonly SentCall[]> {
    const absent = await this.#absent(calls, queues);
    if (absent.length === 0) return [];
    // Since it was read which calls were sent, some have ended, or others run in their place: their messages are gone by right.
    const [key = ""] = this.#keysOf(flow);
    const numbers = absent.map(({ number }) => number);
    const open = await this.#run(`flow ${flow} was not read`, scripts.open, [], () => [key, ...numbers]);
    const isOpen = new Set((open as readonly string[]).map(Number));
    return absent.filter(({ number }) => isOpen.has(number));
  }

  async #absent(calls: readonly SentCall[], queues: readonly string[]): Promise<readonly SentCall[]> {
    if (calls.length === 0) return [];
    const tasks = calls.map(({ id }) => ({ id, queues }));
    const args = locateArguments(this.#prefix, tasks, "messages");
    const replies = await this.#run("calls of flows were not looked up", scripts.locate, [], () => [queuesKey(this.#prefix), ...args]);
    return calls.filter(({ id }, index) => isGone(locationOf((replies as readonly LocateReply[])[index] as LocateReply, id)));
  }

  /** What was known of calls when they were sent. */
  async describe(flow: string, calls: readonly SentCall[]): Promise<readonly DescribedCall[]> {
    const [key = ""] = this.#keysOf(flow);
    const edges = await this.#commands.run({ action: `flow ${flow} was not read`, deadline: this.#deadline }, (client) =>
      client.hget(key, "edges"),
    );
    const all = edges === null ? [] : readEdges(edges);
    const known = calls.map(({ id, number }) => describeCall(flow, id, number, all));
    const others = calls.filter((_, index) => known[index] === undefined);
    const said = await this.additions.read(others.map(({ number }) => ({ flow, call: number })));
    const added = new Map(others.map(({ id }, index) => [id, said[index]]));
    return calls.flatMap(({ id }, index) => known[index] ?? added.get(id) ?? []);
  }

  /** The texts of the fields `edges` and `odd` of each flow. */
  async readFacts(flows: readonly string[]): Promise<readonly (readonly (string | null)[])[]> {
    const keys = flows.map((flow) => this.#keysOf(flow)[0] ?? "");
    return (await this.#run(
      `${counted(flows.length, "flow was", "flows were")} not read`,
      scripts.facts,
      [],
      () => keys,
    )) as readonly (readonly (string | null)[])[];
  }

  /** Marks messages as revoked, wherever in their queues they are. */
  async mark({ ids, queues }: FlowRevocation, reason: string): Promise<void> {
    const keys = [queuesKey(this.#prefix)];
    const args = [reason, "", 0, 0, Date.now(), `${this.#prefix}:`, "", queues.length, ...queues];
    for (let at = 0; at < ids.length; at += maxMarked) {
      const some = ids.slice(at, at + maxMarked);
      await this.#run(`${counted(some.length, "task was", "tasks were")} not revoked`, scripts.revoke, keys, () => [...args, ...some]);
    }
  }

  #keysOf(flow: string): readonly string[] {
    return [flowKeys(this.#prefix) + flow, flowIndexKey(this.#prefix)];
  }

  /** What the scripts that send read first. */
  #surroundings(): readonly Argument[] {
    return [Date.now(), flowKeys(this.#prefix), `${this.#prefix}:`];
  }

  /** Runs one of the scripts that are told of the index, and of how keys begin. */
  #runOn(action: string, script: Script, args: readonly Argument[]): Promise<unknown> {
    return this.#run(action, script, [flowIndexKey(this.#prefix)], () => [...this.#surroundings(), ...args]);
  }

  #run(action: string, script: Script, keys: readonly string[], args: (repeated: boolean) => readonly Argument[]): Promise<unknown> {
    return this.#commands.run({ action, deadline: this.#deadline }, (client, repeated) => runScript(client, script, keys, args(repeated)));
  }
}

/** Neither on loan nor waiting to run. */
function isGone(location: Location): boolean {
  return location === "absent" || (typeof location === "object" && "revoked" in location);
}

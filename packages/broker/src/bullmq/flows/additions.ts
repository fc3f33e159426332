import { encodeAroundPositions } from "../../protocol/envelope.js";
import type { FlowAddition } from "../../protocol/flow.js";
import type { Added } from "../../ports/flows.js";
import type { Connection } from "../../redis/connection.js";
import { flowIndexKey, flowKeys } from "../../redis/keys.js";
import { runScript } from "../../redis/script.js";
import { counted } from "../../errors/words.js";
import { engineScript } from "../engine.js";
import type { NoteQueues } from "../note-queues.js";
import { callHead, type DescribedCall } from "./flow-fields.js";
import { readAddedCall } from "./stored-flow.js";

const scripts = { add: engineScript("flow/add-member"), read: engineScript("flow/read-added") };

/** A call of a flow. */
export interface CallOfFlow {
  readonly flow: string;
  readonly call: number;
}

export interface FlowAdditionsOptions {
  readonly prefix: string;
  /** Of one call, in ms. */
  readonly deadline: number;
  readonly noteQueues: NoteQueues;
}

/** What members of groups have added to these, as the broker keeps it. */
export class FlowAdditions {
  readonly #commands: Connection;
  readonly #options: FlowAdditionsOptions;

  constructor(commands: Connection, options: FlowAdditionsOptions) {
    this.#commands = commands;
    this.#options = options;
  }

  /** `Flows.addMember` */
  async add({ flow, by, join, queue, message }: FlowAddition): Promise<Added> {
    const { prefix, deadline, noteQueues } = this.#options;
    const { id, task } = message;
    const action = `a member that was added to flow ${flow} was not confirmed; it may still run, and adding it again in another run of the same task is safe`;
    const [before, behind] = encodeAroundPositions(message);
    const call = { queue, message, takesValue: false };
    const texts = [JSON.stringify(queue), JSON.stringify({ id, task, queue }), JSON.stringify(callHead(call)), before, behind];
    const reply = await this.#commands.run({ action, deadline }, (client) => {
      noteQueues(client, new Set([queue]));
      const args = [Date.now(), flowKeys(prefix), `${prefix}:`, flow, by, join, id, queue, ...texts];
      return runScript(client, scripts.add, [flowIndexKey(prefix)], args);
    });
    return reply as Added;
  }

  /** What flows say of calls that were added to them, for each; `undefined` of one that was not, or that cannot be read. */
  async read(calls: readonly CallOfFlow[]): Promise<readonly (DescribedCall | undefined)[]> {
    if (calls.length === 0) return [];
    const { prefix, deadline } = this.#options;
    const action = `${counted(calls.length, "added member was", "added members were")} not read`;
    const args = calls.flatMap(({ flow, call }) => [flowKeys(prefix) + flow, call]);
    const texts = await this.#commands.run({ action, deadline }, (client) => runScript(client, scripts.read, [], args));
    return (texts as readonly (string | null)[]).map((text) => (text === null ? undefined : readAddedCall(text)));
  }
}

import { randomUUID } from "node:crypto";
import type { Results, StoreReply, StoreRequest } from "../ports/results.js";
import type { Connection } from "../redis/connection.js";
import type { TaskRecord } from "../protocol/record.js";
import { replyChannel } from "../protocol/reply-channel.js";
import { resultKey } from "../redis/keys.js";
import { isSameServer, type CompiledLocation } from "../redis/location.js";
import { isAnswer, isTransient, refusalOf } from "../redis/refusal.js";
import type { RedisResultBackend } from "../redis/result-backend.js";
import { runScript } from "../redis/script.js";
import { storeArguments } from "../redis/store-arguments.js";
import { engineScript } from "./engine.js";

const probe = engineScript("probe");

/**
 * Stores the results of settlements: in the settlement's own script if broker and backend are one
 * server, whatever the databases, else in a call before it.
 */
export class ResultStore {
  readonly #location: CompiledLocation;
  readonly #backend: Results | RedisResultBackend;
  #storesInSettlement = false;

  constructor(location: CompiledLocation, backend: Results | RedisResultBackend) {
    this.#location = location;
    this.#backend = backend;
  }

  /** Whether the script that settles stores results itself. */
  get storesInSettlement(): boolean {
    return this.#storesInSettlement;
  }

  /**
   * Tries whether a script may store: a user may not be allowed to select a database, and what a
   * script wrote before it failed stays. Resolves with why not, where it was to be expected.
   * Rejects if Redis cannot be reached.
   */
  async probe(connection: Connection, deadline: number): Promise<string | undefined> {
    this.#storesInSettlement = false;
    const to = this.#backend;
    if (!("location" in to) || !isSameServer(this.#location, to.location)) return undefined;
    const trial = randomUUID();
    const databases = [to.location.options.db ?? 0, this.#location.options.db ?? 0];
    return connection.run({ action: "the result backend was not probed", deadline }, async (client) => {
      try {
        await runScript(client, probe, [resultKey(`probe:${trial}`)], [...databases, replyChannel(trial)]);
        this.#storesInSettlement = true;
        return undefined;
      } catch (error) {
        const refusal = refusalOf(error);
        if (!isAnswer(refusal) || isTransient(refusal)) throw error;
        return refusal.reason;
      }
    });
  }

  /** The arguments that the script needs to store results. */
  head(): readonly (string | number)[] {
    const to = this.#backend;
    const own = this.#location.options.db ?? 0;
    return "location" in to ? [own, to.location.options.db ?? 0, resultKey(""), to.largestNotified] : [own, own, resultKey(""), 0];
  }

  /** The records as arguments of the script, and their order there. */
  arguments(records: readonly StoreRequest[]): { readonly args: readonly (string | number)[]; readonly order: readonly StoreRequest[] } {
    const { groups, args, order } = storeArguments(records);
    return { args: [groups, ...args], order };
  }

  /** Stores records in a call of their own. */
  async store(records: readonly StoreRequest[]): Promise<readonly StoreReply[]> {
    return records.length > 0 ? this.#backend.store(records) : [];
  }

  /** The record of each task, `undefined` where there is none. */
  async read(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]> {
    return ids.length > 0 ? this.#backend.read(ids) : [];
  }
}

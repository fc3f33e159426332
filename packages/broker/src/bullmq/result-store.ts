import { randomUUID } from "node:crypto";
import type { Results, StoreReply, StoreRequest } from "../ports/results.js";
import type { Connection } from "../redis/connection.js";
import type { TaskRecord } from "../protocol/record.js";
import { replyChannel } from "../protocol/reply-channel.js";
import { resultKey } from "../redis/keys.js";
import { isSameServer, type CompiledLocation } from "../redis/location.js";
import { isPassing, isReply, reasonOf } from "../redis/reason.js";
import type { RedisResultBackend } from "../redis/result-backend.js";
import { runScript } from "../redis/script.js";
import { storeArguments } from "../redis/store-arguments.js";
import { engineScript } from "./engine.js";

const probe = engineScript("probe");

/** How an exchange's results get into the backend: in its own script where broker and backend are one server, whatever the databases, else in a call before it. */
export class ResultStore {
  readonly #location: CompiledLocation;
  readonly #backend: Results | RedisResultBackend;
  #aboard = false;

  constructor(location: CompiledLocation, backend: Results | RedisResultBackend) {
    this.#location = location;
    this.#backend = backend;
  }

  /** Whether the script of an exchange stores results itself. */
  get storesInSettlement(): boolean {
    return this.#aboard;
  }

  /**
   * Tries whether a script may store: a user may not be allowed to select a database, and what a script wrote before it failed stays written. Gives why not, where it should
   * have been possible. Rejects when Redis cannot be reached.
   */
  async probe(connection: Connection, deadline: number): Promise<string | undefined> {
    this.#aboard = false;
    const to = this.#backend;
    if (!("location" in to) || !isSameServer(this.#location, to.location)) return undefined;
    const trial = randomUUID();
    const databases = [to.location.options.db ?? 0, this.#location.options.db ?? 0];
    return connection.run({ action: "the result backend was not probed", deadline }, async (client) => {
      try {
        await runScript(client, probe, [resultKey(`probe:${trial}`)], [...databases, replyChannel(trial)]);
        this.#aboard = true;
        return undefined;
      } catch (error) {
        if (!isReply(error) || isPassing(error)) throw error;
        return reasonOf(error);
      }
    });
  }

  /** What the script needs to store any. */
  head(): readonly (string | number)[] {
    const to = this.#backend;
    const own = this.#location.options.db ?? 0;
    return "location" in to ? [own, to.location.options.db ?? 0, resultKey(""), to.largestNotified] : [own, own, resultKey(""), 0];
  }

  /** The records as arguments of the script, and the order in which they stand there. */
  arguments(records: readonly StoreRequest[]): { readonly args: readonly (string | number)[]; readonly order: readonly StoreRequest[] } {
    const { groups, args, order } = storeArguments(records);
    return { args: [groups, ...args], order };
  }

  /** Stores them in a call of its own. */
  async store(records: readonly StoreRequest[]): Promise<readonly StoreReply[]> {
    return records.length > 0 ? this.#backend.store(records) : [];
  }

  /** The record of each task, `undefined` where there is none. */
  async read(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]> {
    return ids.length > 0 ? this.#backend.read(ids) : [];
  }
}

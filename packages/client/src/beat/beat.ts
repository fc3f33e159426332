import type { Schedules, StoredEntry } from "@bullrush/broker";
import { BullrushError } from "@bullrush/broker";
import type { AsyncResult } from "../result/async-result.js";
import type { PublishSettings } from "../publishing/build-message.js";
import type { Call } from "../publishing/call.js";
import { refuse } from "../options/check.js";
import { revivedOptions, type TaskOptions } from "../options/task-options.js";
import { compileEntry, isEntryName, type CompiledEntry, type RuntimeEntry } from "./entry.js";
import { listed, type ListedEntry } from "./listed-entry.js";
import { tickHeaders, tickOf } from "./tick.js";

/** The options of an app that its periodic calls need. */
interface BeatOptions extends PublishSettings {
  /** The entries of the app's options. */
  readonly beat: readonly CompiledEntry[];
  /** Time zone of the schedules that have none of their own. */
  readonly timezone: string;
}

/** The parts of an app that its periodic calls need. @internal */
export interface BeatSource {
  readonly store: () => Schedules;
  readonly options: () => BeatOptions;
  readonly declaredOf: (task: string) => TaskOptions;
  readonly send: <Result>(call: Call) => Promise<AsyncResult<Result>>;
}

/**
 * The periodic calls of an app at run time. They are kept on the broker, whichever beat sends them.
 * Every method that asks the broker rejects with `BROKER_UNAVAILABLE` within 5 s if it does not
 * answer.
 */
export class Beat {
  readonly #source: BeatSource;

  /** @internal */
  constructor(source: BeatSource) {
    this.#source = source;
  }

  /**
   * Stores an entry. It replaces the entry of this name, and wins over one of the options. Its
   * ticks count from 0. Rejects as sending the call would, and with `INVALID_OPTION` for a schedule
   * that is a function or invalid.
   */
  async set<Args extends unknown[]>(name: string, entry: RuntimeEntry<Args>): Promise<void> {
    const { call } = compileEntry(name, entry, this.#source.options().timezone);
    if (call.schedule.type === "function") {
      refuse(
        `"schedule" of beat entry "${name}"`,
        "a function, which can only stand in the options of createApp()",
        "every(), crontab() or solar()",
      );
    }
    // A call that could never be sent is refused here, not when it is due.
    tickOf({ name, version: "", call, due: 0, jitter: 0 }, this.#source.declaredOf(call.task), this.#source.options());
    await this.#source.store().set({ name, call });
  }

  /**
   * Removes an entry. Returns `false` if none of this name is stored. An entry of the options
   * returns when a beat with these options begins to lead.
   */
  async remove(name: string): Promise<boolean> {
    isEntryName(name);
    return this.#source.store().remove(name);
  }

  /**
   * Pauses an entry until `resume()`; the ticks between count as skipped, not missed. Returns
   * `false` if none of this name is stored.
   */
  async pause(name: string): Promise<boolean> {
    isEntryName(name);
    return this.#source.store().pause(name);
  }

  /** Resumes an entry. Returns `false` if none of this name is stored. */
  async resume(name: string): Promise<boolean> {
    isEntryName(name);
    return this.#source.store().resume(name);
  }

  /** Returns all entries, by name, those of the options also before a beat has stored them. */
  async list(): Promise<readonly ListedEntry[]> {
    const stored = await this.#source.store().list();
    return listed(stored, this.#source.options().beat);
  }

  /**
   * Sends the call of an entry now, outside its schedule: even if the entry is paused or its last
   * task still runs. Rejects with `ENTRY_NOT_FOUND` if there is none of this name.
   */
  async trigger<Result = unknown>(name: string): Promise<AsyncResult<Result>> {
    isEntryName(name);
    const [stored] = await this.#source.store().read([name]);
    if (stored?.spoilt !== undefined) throw new BullrushError("DECODE_ERROR", { what: `beat entry "${name}"`, reason: stored.spoilt });
    const { task, args = [], options = {} } = (stored ?? this.#inOptions(name)).call;
    const revived = revivedOptions(options);
    const headers = tickHeaders(name, Date.now(), revived.headers);
    return this.#source.send<Result>({ task, args, declared: this.#source.declaredOf(task), options: { ...revived, headers } });
  }

  #inOptions(name: string): Pick<StoredEntry, "call"> {
    const entry = this.#source.options().beat.find((one) => one.name === name);
    if (entry === undefined) throw new BullrushError("ENTRY_NOT_FOUND", { entry: name });
    return entry;
  }
}

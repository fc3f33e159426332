import { isTerminal, type TaskRecord, type TaskState } from "@bullrush/broker";
import type { RevokeOptions } from "../control/revoke.js";
import { checkOptions } from "../options/check.js";
import { asCompleted, type SingleResultOf } from "./as-completed.js";
import type { AsyncResult } from "./async-result.js";
import { forget } from "./forget.js";
import { outcomesOf, recordsOf, valuesOf, type OutcomesOf } from "./gather.js";
import type { Handle, HandlesFor } from "./handle.js";
import { awaitedOf, ignored, isGroup, leavesOf, mark, type Group, type SingleResult } from "./single-result.js";
import { callBack, checkListener } from "./on-done.js";
import type { ResultSource } from "./reference.js";
import type { ResultData } from "./result-data.js";
import { resultData, savedGroup } from "./saved-group.js";
import { inTask, polledInTask } from "./wait-in-task.js";
import { getChecks, type GetOptions, type WaitOptions } from "./wait-options.js";

/** The fields of a group's handle. @internal */
export interface GroupReference {
  readonly id: string;
  readonly results: readonly (AsyncResult | GroupResult)[];
  /** Id of the flow whose result it is. */
  readonly flow?: string;
  readonly parent?: Handle;
  /** Whether its continuation runs even if members have failed. Default: false. */
  readonly isPartial?: boolean;
}

/** Maximum number of records that one command reads: each has a result, which may be large. */
const maxRead = 100;

/**
 * The handle on the results of a group, `Results` in the order of its members. A group among them
 * is one member.
 */
export class GroupResult<Results extends readonly unknown[] = readonly unknown[]>
  implements Handle<Results>, Iterable<Handle<Results[number]>>
{
  /** @internal */
  readonly [mark.group] = true;
  readonly id: string;
  /**
   * The handles of the members, in order: an `AsyncResult` of a task, a `GroupResult` of a group.
   */
  readonly results: HandlesFor<Results>;
  /** The handle of the step before, in a chain. */
  readonly parent: Handle | undefined;
  /** @internal */
  readonly isPartial: boolean;
  /** Absent for a canvas without calls that no app created. */
  readonly #source: (() => ResultSource) | undefined;
  readonly #flow: string | undefined;

  /** @internal */
  constructor(source: (() => ResultSource) | undefined, { id, results, flow, parent, isPartial = false }: GroupReference) {
    this.id = id;
    this.results = results as unknown as HandlesFor<Results>;
    this.parent = parent;
    this.isPartial = isPartial;
    this.#source = source;
    this.#flow = flow;
  }

  [Symbol.iterator](): Iterator<Handle<Results[number]>> {
    return (this.results as readonly Handle<Results[number]>[])[Symbol.iterator]();
  }

  /**
   * The outcome of each member, once all have ended. That of a group among them is the outcome of
   * its first member that has failed or was revoked, if any.
   */
  get(options: GetOptions & { readonly propagate: false }): Promise<OutcomesOf<Results>>;
  /**
   * Waits for all members and resolves to their values, in order; an empty group after a step waits
   * for that step. Rejects as soon as one has failed or was revoked, with the error of its `get()`;
   * otherwise as `AsyncResult.get()`.
   */
  get(options?: GetOptions & { readonly propagate?: true }): Promise<Results>;
  async get(options: GetOptions = {}): Promise<unknown> {
    checkOptions(options, getChecks, "of get()");
    const { propagate = true } = options;
    const awaited = this.#awaited();
    const records = await inTask(awaited, (onPending) => recordsOf(awaited, options, propagate, onPending));
    return propagate ? valuesOf([this.#asGroup], records.values())[0] : outcomesOf(this.#members, records);
  }

  /**
   * Yields the handles of its tasks, those of inner groups too, as they end. As the function
   * `asCompleted`.
   */
  asCompleted(options: WaitOptions = {}): AsyncGenerator<SingleResultOf<GroupResult<Results>>, void, undefined> {
    return asCompleted([this], options);
  }

  /**
   * The state of the group: `FAILURE` if a member has failed, else `REVOKED` if one was revoked,
   * `SUCCESS` if all have succeeded, `PENDING` if no member has a record, otherwise `STARTED`.
   */
  async status(): Promise<TaskState> {
    const awaited = this.#awaited();
    const states = new Map<TaskState, number>();
    const found = await this.#count(awaited, ({ state }) => states.set(state, (states.get(state) ?? 0) + 1).size > 0);
    if (states.has("FAILURE")) return "FAILURE";
    if (states.has("REVOKED")) return "REVOKED";
    const well = found === awaited.length && [...states.keys()].every((state) => state === "SUCCESS");
    if (well) return "SUCCESS";
    return [...states.keys()].every((state) => state === "PENDING") ? "PENDING" : "STARTED";
  }

  /** How many members have succeeded. */
  async completedCount(): Promise<number> {
    const members = this.#members;
    const groups = await Promise.all(members.filter(isGroup).map((group) => group.successful()));
    const single = await this.#count(leavesOf(members.filter((member) => !isGroup(member))), ({ state }) => state === "SUCCESS");
    return single + groups.filter((successful) => successful).length;
  }

  /** Whether all members have ended, in any state. */
  async ready(): Promise<boolean> {
    const awaited = this.#awaited();
    return (await this.#count(awaited, ({ state }) => isTerminal(state))) === awaited.length;
  }

  /** Whether all members have succeeded. */
  async successful(): Promise<boolean> {
    const awaited = this.#awaited();
    return (await this.#count(awaited, ({ state }) => state === "SUCCESS")) === awaited.length;
  }

  /** Whether a member has failed. */
  async failed(): Promise<boolean> {
    return (await this.#count(this.#awaited(), ({ state }) => state === "FAILURE")) > 0;
  }

  /**
   * Calls `listener` once, with the outcome of each member, when all have ended; at once if they
   * already have. An error that `listener` throws is an uncaught exception. Otherwise as
   * `AsyncResult.onDone`.
   */
  onDone(listener: (outcomes: OutcomesOf<Results>, group: this) => void): void {
    checkListener(listener);
    callBack(this.#awaited(), (records) => listener(outcomesOf(this.#members, records) as OutcomesOf<Results>, this));
  }

  /**
   * Revokes all tasks that have not ended, and their continuations in the same flow. Returns for
   * each member whether it is revoked; for a group among them, whether all its members are.
   */
  async revoke(options: RevokeOptions = {}): Promise<readonly boolean[]> {
    const leaves = this.#leaves();
    const ids = leaves.map(({ id }) => id);
    const queues = new Set(leaves.flatMap(({ reference }) => reference.queues));
    const elsewhere = leaves.some(({ reference }) => reference.elsewhere === true);
    const answers = ((await this.#source?.().revoke(ids, { queues: [...queues], elsewhere }, options, this.#flow)) ?? []).values();
    const answerOf = (handle: SingleResult | Group): boolean =>
      isGroup(handle) ? handle.results.map(answerOf).every((answer) => answer) : answers.next().value === true;
    return this.#members.map(answerOf);
  }

  /**
   * Stores the members of the group in the result backend, for `resultExpires` of the app, so that
   * `app.groupResult(id)` finds it anywhere. The steps before it are not stored. An empty group
   * that no app created needs no storing: its id describes it.
   */
  async save(): Promise<void> {
    const source = this.#source?.();
    if (source === undefined) return;
    const { engine, options } = source;
    await engine.results.saveGroup(this.id, savedGroup(this.#asGroup), options.resultExpires);
  }

  /**
   * Removes the results of all its tasks and of the steps before it, the data of `save()`, and all
   * else that is kept of ended tasks.
   */
  async forget(): Promise<void> {
    const source = this.#source?.();
    if (source !== undefined) await forget(this.#asGroup, source);
  }

  /**
   * The handle as plain data, with its members and the steps before it. As `AsyncResult.toJSON`.
   */
  toJSON(): ResultData {
    return resultData(this.#asGroup);
  }

  /** @internal Id of the flow whose result it is. */
  get flow(): string | undefined {
    return this.#flow;
  }

  /** The members, as sets of results see them. */
  get #members(): readonly (SingleResult | Group)[] {
    return this.results as unknown as readonly (SingleResult | Group)[];
  }

  get #asGroup(): Group {
    return this as unknown as Group;
  }

  #leaves(): readonly SingleResult[] {
    return leavesOf(this.#members);
  }

  /** The results whose end is the end of the group. */
  #awaited(): readonly SingleResult[] {
    return awaitedOf([this.#asGroup]);
  }

  /**
   * How many of `leaves` have a matching record; those that ignore their results count as
   * succeeded.
   */
  async #count(leaves: readonly SingleResult[], fits: (record: TaskRecord) => boolean): Promise<number> {
    const stored = leaves.filter(({ reference }) => reference.ignoreResult !== true);
    let count = fits(ignored) ? leaves.length - stored.length : 0;
    let pending = stored.length;
    for (const some of chunksOf(stored, maxRead)) {
      const records = await this.#source?.().engine.results.read(some.map(({ id }) => id));
      for (const record of records ?? []) {
        if (record === undefined) continue;
        if (isTerminal(record.state)) pending--;
        if (fits(record)) count++;
      }
    }
    await polledInTask(this.id, pending === 0, leaves);
    return count;
  }
}

function* chunksOf(leaves: readonly SingleResult[], most: number): Generator<readonly SingleResult[]> {
  for (let at = 0; at < leaves.length; at += most) yield leaves.slice(at, at + most);
}

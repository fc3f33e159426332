import {
  encodeRecord,
  isTerminal,
  type Clock,
  type Engine,
  type Marked,
  type Revocation,
  type TaskQuery,
  type TaskRecord,
} from "@bullrush/broker";
import { checkOptions, isFlag, kindOf, refuse } from "../options/check.js";

/** How tasks are revoked. */
export interface RevokeOptions {
  /**
   * Whether a running task is ended at once, instead of asked through its `signal`. Default: false.
   */
  readonly terminate?: boolean;
  /**
   * The reason, for waiting clients and the log; at most 1000 characters. Default: "by request".
   */
  readonly reason?: string;
}

/** The queues that are searched for tasks. @internal */
export type Places = Pick<TaskQuery, "queues" | "elsewhere">;

/**
 * Revokes tasks that may be in these places: none of them starts from now on, and running ones are
 * told to end. Returns for each whether it is revoked, by this call or an earlier one; a task that
 * has ended otherwise stays as it is. For a task that is in none of these places and in no flow,
 * REVOKED is stored in case it is sent later, and the result is `false`. A call of a flow that is
 * not sent yet is revoked in the flow. With a replaced task, the tasks that replace it are revoked
 * too; with `flow`, all of that flow. When it rejects it may be half done; it is safe to repeat.
 * @internal
 */
export type Revoke = (ids: readonly string[], places: Places, options: RevokeOptions, flow?: string) => Promise<readonly boolean[]>;

/** What revoking needs of an app. @internal */
export interface RevokeSource {
  readonly engine: Pick<Engine, "queues" | "results" | "flows" | "control">;
  /** How long the result of a task is kept, in ms. Without a name: the app's setting. */
  readonly lifetimeOf: (task: string | undefined) => number;
  readonly clock: Clock;
}

/** Maximum number of tasks that one call revokes, so that none blocks Redis for long. */
const maxAtOnce = 1000;

/**
 * How long the revocation of a task whose turn in its flow has not come is remembered, in ms: 30
 * days, the maximum duration of a flow.
 */
const maxTurn = 30 * 24 * 60 * 60 * 1000;

/** Wins over the claim of any delivery; the record itself claims nothing. */
const fence = { store: Number.MAX_SAFE_INTEGER, record: 0 };

/** @internal */
export function openRevoke(source: RevokeSource): Revoke {
  const { engine, lifetimeOf, clock } = source;

  /**
   * The order matters: first the calls that are not sent, so that they are not; then the messages,
   * so that none starts; then the records; then the running tasks.
   */
  async function revokeChunk(batch: Batch, revocation: Revocation): Promise<Revoked> {
    const { ids, queues, elsewhere, flow } = batch;
    const known = await engine.results.read(ids);
    const flows = flowsOf(known);
    if (flow !== undefined) flows.set(flow, "all");
    const members: Batch[] = [];
    for (const [id, calls] of flows) {
      const found = await engine.flows.revoke(id, calls);
      if (found !== undefined) members.push({ ...found, ofFlow: true });
    }
    const places = new Set([...queues, ...known.flatMap((record) => record?.queue ?? [])]);
    const marked = await engine.queues.revoke(ids, [...places], revocation, elsewhere);
    const ofFlows = batch.ofFlow === true ? new Set(ids) : new Set(members.flatMap((found) => found.ids));
    const revoked = await storeRevoked({ ids, ofFlows, marked, known }, revocation.reason);
    await sendCommand(
      ids.filter((id, index) => marked[index]?.location === "taken" && revoked.has(id)),
      revocation,
    );
    return { answers: ids.map((id) => revoked.has(id)), members };
  }

  /** Returns the ids that are known to be revoked. */
  async function storeRevoked({ ids, ofFlows, marked, known }: Found, reason: string): Promise<ReadonlySet<string>> {
    const endedAt = clock.now();
    const awaitsTurn = (index: number) => ofFlows.has(ids[index] as string) || known[index]?.flow !== undefined;
    const isFound = (index: number) => marked[index]?.location !== "absent" || awaitsTurn(index);
    const requests = marked.flatMap((found, index) => {
      // Other tasks replace it, so it has not ended.
      const isReplaced = known[index]?.flow !== undefined && !isTerminal(known[index].state);
      if (found.location === "ended" && !isReplaced) return [];
      // The reply channel of a task that is in no queue is unknown, but may be this process's.
      const unsent = { task: known[index]?.task, queue: known[index]?.queue, replyTo: engine.results.replyChannel };
      const { task, queue, replyTo, due = endedAt } = "queue" in found ? found : { ...unsent, due: undefined };
      const unfound = isFound(index) ? undefined : true;
      // This record replaces that of the last attempt, if there is one.
      const failure = known[index]?.failure;
      const record = encodeRecord({ state: "REVOKED", delivery: fence.record, failure, reason, task, queue, endedAt, unfound });
      // It lasts until the message is gone, and then as long as any result.
      const expires = lifetimeOf(task) + (found.location === "absent" && awaitsTurn(index) ? maxTurn : Math.max(0, due - endedAt));
      return { id: ids[index] as string, delivery: fence.store, expires, replyTo, record };
    });
    const replies = await engine.results.store(requests);
    const stored = new Set(requests.flatMap(({ id }, index) => (replies[index] === "stored" ? id : [])));
    const others = ids.filter((id) => !stored.has(id));
    const records = new Map((await engine.results.read(others)).map((record, index) => [others[index], record]));
    const isRevoked = (id: string, index: number) => {
      if (stored.has(id)) return isFound(index);
      const record = records.get(id);
      return record?.state === "REVOKED" && (record.unfound !== true || isFound(index));
    };
    return new Set(ids.filter(isRevoked));
  }

  /** A worker that misses the command learns of it when it renews its leases. */
  async function sendCommand(ids: readonly string[], revocation: Revocation): Promise<void> {
    if (ids.length > 0) engine.control.publish({ type: "revoke", ids, ...revocation }).catch(() => undefined);
  }

  return async (ids, { queues, elsewhere = false }, options, flow) => {
    const revocation = revocationOf(options);
    const asked = chunksOf({ ids, queues, elsewhere, ...(flow !== undefined && { flow }) });
    const batches = [...asked];
    const answers: boolean[] = [];
    const met = new Set(ids);
    // A task that replaces another may be replaced itself, so the list grows during the loop.
    for (const [place, batch] of batches.entries()) {
      const revoked = await revokeChunk(batch, revocation);
      if (place < asked.length) answers.push(...revoked.answers);
      for (const members of revoked.members) {
        const further = members.ids.filter((id) => !met.has(id));
        for (const id of further) met.add(id);
        batches.push(...chunksOf({ ...members, ids: further }));
      }
    }
    return answers;
  };
}

/** Tasks to revoke together, and the flow whose result they are. */
interface Batch extends Places {
  readonly ids: readonly string[];
  readonly flow?: string;
  /** Whether they may be calls of a flow that are not sent yet. */
  readonly ofFlow?: boolean;
}

/** What was found of a batch. */
interface Found {
  readonly ids: readonly string[];
  /** Calls of unfinished flows that may not be sent yet. */
  readonly ofFlows: ReadonlySet<string>;
  /** For each task, what the queues have of it. */
  readonly marked: readonly Marked[];
  /** For each task, its record. */
  readonly known: readonly (TaskRecord | undefined)[];
}

interface Revoked {
  /** For each of the batch. */
  readonly answers: readonly boolean[];
  /** The tasks to revoke along with it. */
  readonly members: readonly Batch[];
}

/** The flow is revoked with the first chunk, which may have no ids. */
function chunksOf({ flow, ...batch }: Batch): readonly Batch[] {
  const count = Math.max(Math.ceil(batch.ids.length / maxAtOnce), flow === undefined ? 0 : 1);
  return Array.from({ length: count }, (_, chunk) => {
    const ids = batch.ids.slice(chunk * maxAtOnce, (chunk + 1) * maxAtOnce);
    return { ...batch, ids, ...(chunk === 0 && flow !== undefined && { flow }) };
  });
}

/** What to revoke in which flow: the calls that are not sent, or all that replace a task. */
function flowsOf(records: readonly (TaskRecord | undefined)[]): Map<string, "all" | number[]> {
  const flows = new Map<string, "all" | number[]>();
  for (const { state, flow, call } of records.filter((record) => record !== undefined)) {
    if (flow === undefined || isTerminal(state)) continue;
    const calls = flows.get(flow) ?? [];
    if (state === "STARTED" || call === undefined) flows.set(flow, "all");
    else if (calls !== "all") {
      calls.push(call);
      flows.set(flow, calls);
    }
  }
  return flows;
}

/** Throws `INVALID_OPTION`. */
function revocationOf(given: RevokeOptions): Revocation {
  checkOptions(given, { terminate: isFlag, reason: isReason }, "of revoke()");
  return { reason: given.reason ?? "by request", terminate: given.terminate ?? false };
}

function isReason(value: unknown, option: string): void {
  const fits = typeof value === "string" && value.length >= 1 && value.length <= 1000;
  if (!fits) refuse(option, typeof value === "string" ? `${value.length} characters` : kindOf(value), "a text of 1 to 1000 characters");
}

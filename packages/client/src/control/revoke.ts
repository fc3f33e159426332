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
  /** Whether one that runs is ended at once instead of asked to end through its `signal`. Default: false. */
  readonly terminate?: boolean;
  /** Why, for whoever waits and for the log: up to 1000 characters. Default: "by request". */
  readonly reason?: string;
}

/** The queues in which tasks are looked for. @internal */
export type Places = Pick<TaskQuery, "queues" | "elsewhere">;

/**
 * Calls off tasks that may be in these places: none of them runs from now on, and those that run are told to end. Gives for each whether it is
 * revoked, by this call or an earlier one; one that has ended otherwise stays as it is. Of one that is in none of these places and of no flow, REVOKED is stored, in case it
 * is not sent yet, but nobody can tell whether it is: `false`. When it rejects it may have taken effect for some; it is safe to repeat. Those that have not been sent yet, because they are part of a flow and not their turn, are called off there; with one that others run in the place of,
 * these are called off too, and with `flow`, of which one is the result, all of that flow.
 * @internal
 */
export type Revoke = (ids: readonly string[], places: Places, options: RevokeOptions, flow?: string) => Promise<readonly boolean[]>;

/** What revoking needs. @internal */
export interface RevokeSource {
  readonly engine: Pick<Engine, "queues" | "results" | "flows" | "control">;
  /** How long the result of a task is kept, in ms; without its name, as far as the app says. */
  readonly lifetimeOf: (task: string | undefined) => number;
  readonly clock: Clock;
}

/** Most tasks that are revoked in one call, so that none holds Redis for long. */
const maxAtOnce = 1000;

/** How long it is remembered of one whose turn in its flow is still to come, in ms: 30 days, as long as its flow may take. */
const maxTurn = 30 * 24 * 60 * 60 * 1000;

/** Wins over the claim of any delivery, while the record itself claims nothing. */
const fence = { store: Number.MAX_SAFE_INTEGER, record: 0 };

/** @internal */
export function openRevoke(source: RevokeSource): Revoke {
  const { engine, lifetimeOf, clock } = source;

  /** First what is still to be sent, so that it is not; then the messages, so that none begins; then the records; then those that run. */
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
    await tell(
      ids.filter((id, index) => marked[index]?.location === "taken" && revoked.has(id)),
      revocation,
    );
    return { answers: ids.map((id) => revoked.has(id)), members };
  }

  /** Gives those that are known to be revoked, by now or before. */
  async function storeRevoked({ ids, ofFlows, marked, known }: Found, reason: string): Promise<ReadonlySet<string>> {
    const endedAt = clock.now();
    const awaitsTurn = (index: number) => ofFlows.has(ids[index] as string) || known[index]?.flow !== undefined;
    const isFound = (index: number) => marked[index]?.location !== "absent" || awaitsTurn(index);
    const requests = marked.flatMap((found, index) => {
      // Others run in its place: it has not ended.
      const isReplaced = known[index]?.flow !== undefined && !isTerminal(known[index].state);
      if (found.location === "ended" && !isReplaced) return [];
      // Who waits for one that is in no queue is not known, but may be in this process.
      const unsent = { task: known[index]?.task, queue: known[index]?.queue, replyTo: engine.results.replyChannel };
      const { task, queue, replyTo, due = endedAt } = "queue" in found ? found : { ...unsent, due: undefined };
      const unfound = isFound(index) ? undefined : true;
      // Of the attempt before, if the record tells of one: this one takes its place.
      const failure = known[index]?.failure;
      const record = encodeRecord({ state: "REVOKED", delivery: fence.record, failure, reason, task, queue, endedAt, unfound });
      // Until its message is gone, and then as long as any result.
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

  /** A worker that does not hear of it learns it when it renews its leases. */
  async function tell(ids: readonly string[], revocation: Revocation): Promise<void> {
    if (ids.length > 0) engine.control.publish({ type: "revoke", ids, ...revocation }).catch(() => undefined);
  }

  return async (ids, { queues, elsewhere = false }, options, flow) => {
    const revocation = revocationOf(options);
    const asked = chunksOf({ ids, queues, elsewhere, ...(flow !== undefined && { flow }) });
    const batches = [...asked];
    const answers: boolean[] = [];
    const met = new Set(ids);
    // What runs in the place of a task may be replaced itself: the list grows on the way.
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

/** Some tasks to be revoked together, and the flow of which they are the result. */
interface Batch extends Places {
  readonly ids: readonly string[];
  readonly flow?: string;
  /** Whether they are part of a flow, and it may not be their turn yet. */
  readonly ofFlow?: boolean;
}

/** What was found of a batch. */
interface Found {
  readonly ids: readonly string[];
  /** Those that are part of a flow that has not ended, and whose turn may be still to come. */
  readonly ofFlows: ReadonlySet<string>;
  /** For each, what the queues had. */
  readonly marked: readonly Marked[];
  /** For each, what was stored. */
  readonly known: readonly (TaskRecord | undefined)[];
}

interface Revoked {
  /** For each of the batch. */
  readonly answers: readonly boolean[];
  /** What is to be revoked with it. */
  readonly members: readonly Batch[];
}

/** The flow is called off with the first chunk, which may have no ids. */
function chunksOf({ flow, ...batch }: Batch): readonly Batch[] {
  const count = Math.max(Math.ceil(batch.ids.length / maxAtOnce), flow === undefined ? 0 : 1);
  return Array.from({ length: count }, (_, chunk) => {
    const ids = batch.ids.slice(chunk * maxAtOnce, (chunk + 1) * maxAtOnce);
    return { ...batch, ids, ...(chunk === 0 && flow !== undefined && { flow }) };
  });
}

/** What is to be called off in which flow: the calls that have not been sent, or all that run in the place of a task. */
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

import { outcomeOfRecord, type Outcome } from "../../protocol/outcome.js";
import { encodeRecord, type TaskRecord } from "../../protocol/record.js";
import type { ResultStore } from "../result-store.js";
import { endingOf } from "./endings.js";
import type { FlowStore, SentCall, StaleFlow } from "./flow-store.js";
import { fence, knownWith, nothingKnown, recordsFor, type Wanted } from "./wanted.js";

/** What mending needs. */
export interface Mending {
  readonly flows: FlowStore;
  readonly results: ResultStore;
}

/** `Consumer.mendFlows` */
export async function mendFlows({ flows, results }: Mending, stale: number): Promise<number> {
  let mended = 0;
  for (const flow of await flows.stale(stale)) {
    if (flow.behind) await flows.sendBacklog(flow.id);
    const lost = flow.behind ? 0 : await goOn(flow, { flows, results });
    if (flow.behind || lost > 0) mended++;
  }
  return mended;
}

/** Goes on where a message has gone from its queue and its call has not ended. Gives how many there were. */
async function goOn({ sent, queues, expires, to }: StaleFlow, { flows, results }: Mending): Promise<number> {
  const absent = await flows.absent(sent, queues);
  const records = await results.read(absent.map(({ id }) => id));
  let lost = 0;
  for (const [index, call] of absent.entries()) {
    const record = records[index];
    // Other tasks run in its place.
    if (record?.flow !== undefined) continue;
    lost++;
    const outcome = record && outcomeOfRecord(record);
    if (outcome === undefined) {
      const store = { id: call.id, delivery: fence, expires, ...(to !== "" && { replyTo: to }), record: recordOfRemoved(record) };
      await results.store([store]);
    }
    await continueWith(call, record?.task ?? "task", outcome ?? { type: "revoked", reason: removed }, { flows, results });
  }
  return lost;
}

const removed = "its message was removed from its queue";

function recordOfRemoved({ task, queue }: Partial<TaskRecord> = {}): string {
  return encodeRecord({ state: "REVOKED", delivery: 0, reason: removed, task, queue, endedAt: Date.now() });
}

async function continueWith({ id, places }: SentCall, task: string, outcome: Outcome, { flows, results }: Mending): Promise<void> {
  const ending = endingOf({ id, task }, outcome);
  if (ending === undefined) return;
  let known = nothingKnown;
  for (let wanted = await flows.continue(places, ending, known); wanted !== undefined;) {
    const one = JSON.parse(wanted) as Wanted;
    await results.store(recordsFor(one, Date.now()));
    known = knownWith(known, one);
    wanted = await flows.continue(places, ending, known);
  }
}

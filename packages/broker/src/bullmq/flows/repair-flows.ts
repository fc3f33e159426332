import { BullrushError } from "../../error.js";
import { isRefused } from "../../redis/refused.js";
import { outcomeOfRecord, stateOfOutcome } from "../../protocol/outcome.js";
import { encodeRecord } from "../../protocol/record.js";
import type { ResultStore } from "../result-store.js";
import type { FlowRunner } from "./flow-runner.js";
import { recordsFor } from "./cascade.js";
import { endingOf } from "./endings.js";
import type { FlowStore, StaleFlow } from "./flow-store.js";

/** What mending needs. */
export interface Mending {
  readonly flows: FlowStore;
  readonly carrier: FlowRunner;
  readonly results: ResultStore;
}

/** Most looks in one go: each is for a hundred flows, or a thousand calls. */
const mostLooks = 20;

/** `Consumer.mendFlows` */
export async function repairFlows(mending: Mending, stale: number): Promise<number> {
  let mended = 0;
  let spoilt: Error | undefined;
  for (let look = 0; look < mostLooks; look++) {
    const found = await mending.flows.stale(stale);
    if (found.length === 0) break;
    for (const flow of found) {
      try {
        if (flow.otherLayout !== undefined) throw new BullrushError("DECODE_ERROR", { what: "a flow", reason: flow.otherLayout });
        const lost = await goOn(flow, mending);
        if (flow.behind) await mending.carrier.carryOn([flow.id]);
        if (flow.behind || lost > 0) mended++;
      } catch (error) {
        // One that somebody has spoilt holds up no others. An outage is of all.
        if (error instanceof BullrushError && error.code !== "DECODE_ERROR" && !isRefused(error)) throw error;
        spoilt ??= error instanceof Error ? error : new TypeError("no error was thrown");
      }
    }
  }
  if (spoilt !== undefined) throw spoilt;
  return mended;
}

const removed = "its message was removed from its queue";

/** Goes on where a message has gone from its queue, or waits revoked, and its call has not ended. Gives how many there were. */
async function goOn({ id: flow, sent, queues, expires, replyTo }: StaleFlow, { flows, carrier, results }: Mending): Promise<number> {
  const gone = await flows.gone(flow, sent, queues);
  if (gone.length === 0) return 0;
  const [records, calls] = await Promise.all([results.read(gone.map(({ id }) => id)), flows.describe(flow, gone)]);
  for (const [index, call] of calls.entries()) {
    const { id, task, queue, positions } = call;
    const record = records[index];
    const outcome = (record && outcomeOfRecord(record)) ?? ({ type: "revoked", reason: removed } as const);
    const ending = endingOf({ id, task }, outcome);
    if (ending === undefined) continue;
    // Whom it stands for waits as well, whatever is stored of itself.
    const recordOf = (name: string) => encodeRecord({ ...stateOfOutcome(outcome), delivery: 0, task: name, queue, endedAt: Date.now() });
    await results.store(recordsFor(call, recordOf, { expires, replyTo }));
    await carrier.carryOn(await flows.continue(positions, ending));
  }
  return calls.length;
}

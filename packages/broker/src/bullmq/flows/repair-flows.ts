import { BullrushError } from "../../errors/error.js";
import { isRefused } from "../../errors/refusal.js";
import { outcomeOfRecord, stateOfOutcome } from "../../protocol/outcome.js";
import { encodeRecord } from "../../protocol/record.js";
import type { ResultStore } from "../result-store.js";
import type { FlowRunner } from "./flow-runner.js";
import { recordsFor } from "./doomed.js";
import { endingOf } from "./endings.js";
import type { FlowStore } from "./flow-store.js";
import type { StaleFlow } from "./stale-flow.js";

/** What the repair of flows needs. */
export interface FlowRepair {
  readonly flows: FlowStore;
  readonly runner: FlowRunner;
  readonly results: ResultStore;
}

/** Most looks in one repair: each finds up to a hundred flows, or a thousand calls. */
const maxLooks = 20;

/** `Consumer.repairFlows` */
export async function repairFlows(repair: FlowRepair, stale: number): Promise<number> {
  let repaired = 0;
  let spoilt: Error | undefined;
  for (let look = 0; look < maxLooks; look++) {
    const found = await repair.flows.stale(stale);
    if (found.length === 0) break;
    for (const flow of found) {
      try {
        const lost = await goOn(flow, repair);
        if (flow.behind) await repair.runner.carryOn([flow.id]);
        if (flow.behind || lost > 0) repaired++;
      } catch (error) {
        // A spoilt flow holds up no others; an outage concerns all.
        if (error instanceof BullrushError && error.code !== "DECODE_ERROR" && !isRefused(error)) throw error;
        spoilt ??= error instanceof Error ? error : new TypeError("no error was thrown");
      }
    }
  }
  if (spoilt !== undefined) throw spoilt;
  return repaired;
}

const removed = "its message was removed from its queue";

/** Continues calls whose message has gone from its queue, or waits revoked. Resolves with their number. */
async function goOn({ id: flow, sent, queues, expires, to }: StaleFlow, { flows, runner, results }: FlowRepair): Promise<number> {
  const gone = await flows.gone(flow, sent, queues);
  if (gone.length === 0) return 0;
  const [records, calls] = await Promise.all([results.read(gone.map(({ id }) => id)), flows.describe(flow, gone)]);
  for (const [index, call] of calls.entries()) {
    const { id, task, queue, places } = call;
    const record = records[index];
    const outcome = (record && outcomeOfRecord(record)) ?? ({ type: "revoked", reason: removed } as const);
    const ending = endingOf({ id, task }, outcome);
    if (ending === undefined) continue;
    // The tasks that it replaces wait as well, whatever is stored of itself.
    const recordOf = (name: string) => encodeRecord({ ...stateOfOutcome(outcome), delivery: 0, task: name, queue, endedAt: Date.now() });
    await results.store(recordsFor(call, recordOf, { expires, to }));
    await runner.carryOn(await flows.continue(places, ending));
  }
  return calls.length;
}

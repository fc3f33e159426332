import type { FlowPosition, Target } from "../../protocol/flow-position.js";
import type { QueueTable } from "../queue-table.js";
import type { ResultTable } from "../result-table.js";
import type { SpaceTime } from "../space-time.js";
import { endingOfCall, recordsOfCall } from "./cascade.js";
import { dropped, endingAt, type FailedEnding, type FlowEnding } from "./flow-ending.js";
import type { FlowTable } from "./flow-table.js";
import { joinOutcome } from "./join-outcome.js";
import type { RunningCall, RunningFlow, RunningJoin } from "./running-flow.js";
import { sendCall } from "./send-call.js";

/** What flows work on. */
export interface FlowParts {
  readonly flows: FlowTable;
  readonly queues: QueueTable;
  readonly results: ResultTable;
  readonly time: SpaceTime;
}

interface Work {
  readonly flow: RunningFlow;
  readonly target: Target;
  readonly ending: FlowEnding;
}

/**
 * One step of flows: all that follows upon one thing, in the order in which it follows. What fails
 * without having run comes last.
 */
export class FlowStep {
  readonly #parts: FlowParts;
  readonly #now: number;
  #work: Work[] = [];
  #cascade: (() => void)[] = [];
  readonly #moved = new Set<RunningFlow>();

  constructor(parts: FlowParts) {
    this.#parts = parts;
    this.#now = parts.time.now();
  }

  /** Adds what follows upon `ending`. */
  follow(flow: RunningFlow, targets: readonly Target[], ending: FlowEnding): void {
    this.#moved.add(flow);
    for (const target of targets) this.#work.push({ flow, target, ending });
  }

  /**
   * A call that stands at these positions has ended, and what follows upon that is added. Nothing
   * happens where it had ended before.
   */
  leave(positions: readonly FlowPosition[], ending: FlowEnding): void {
    for (const position of positions) {
      const flow = this.#parts.flows.find(position.flow);
      const call = flow?.calls[position.call];
      if (flow === undefined || call === undefined || call.hasEnded) continue;
      call.hasEnded = true;
      call.text = undefined;
      flow.remaining--;
      this.follow(flow, position.next, endingAt(position, ending));
    }
  }

  /** Does all that was added, and what follows upon that. */
  run(): void {
    for (;;) {
      const work = this.#work;
      this.#work = [];
      for (const each of work) this.#visit(each);
      if (this.#work.length > 0) continue;
      const cascade = this.#cascade;
      this.#cascade = [];
      for (const fail of cascade) fail();
      if (this.#work.length === 0 && this.#cascade.length === 0) break;
    }
    for (const flow of this.#moved) {
      flow.movedAt = this.#now;
      if (flow.remaining === 0) this.#parts.flows.delete(flow);
    }
  }

  #visit({ flow, target, ending }: Work): void {
    switch (target[0]) {
      case "step":
        return this.#visitCall(flow, target[1], ending, true);
      case "link":
        return this.#visitCall(flow, target[1], ending, false);
      case "steps":
        for (let call = target[1]; call <= target[2]; call++) this.#visitCall(flow, call, ending, true);
        return;
      case "error":
        return this.#visitErrorLink(flow, target, ending);
      case "slot":
        return this.#visitSlot(flow, flow.joins[target[1]], target[2], ending);
      case "open":
        return this.#openJoin(flow, flow.joins[target[1]], ending);
    }
  }

  #visitCall(flow: RunningFlow, number: number, ending: FlowEnding, fails: boolean): void {
    const call = flow.calls[number];
    if (call === undefined) return;
    switch (ending.kind) {
      case "value":
        return this.#send(flow, call, ending.value);
      case "starts":
        return this.#send(flow, call, undefined);
      case "failed":
        if (fails) this.#cascade.push(() => this.#fail(flow, call, ending));
        else this.#drop(call);
        return;
      case "dropped":
        return this.#drop(call);
    }
  }

  #visitErrorLink(flow: RunningFlow, [, number, first, last]: Extract<Target, readonly ["error", ...unknown[]]>, ending: FlowEnding): void {
    const call = flow.calls[number];
    if (call === undefined) return;
    if (ending.kind !== "failed") return this.#drop(call);
    const by = ending.by?.call;
    const isTold = first === undefined || last === undefined || (by !== undefined && by >= first && by <= last);
    if (isTold) this.#send(flow, call, JSON.stringify(ending.told ?? ending.failure));
    else this.#drop(call);
  }

  #visitSlot(flow: RunningFlow, join: RunningJoin | undefined, slot: number, ending: FlowEnding): void {
    if (join === undefined || join.isClosed || slot >= join.size) return;
    if (ending.kind === "starts" || ending.kind === "dropped") return this.#close(flow, join, dropped);
    if (join.slots.has(slot)) return;
    if (ending.kind === "failed") {
      join.slots.set(slot, { failure: ending.failure, isBefore: ending.joins.has(join.number) });
    } else {
      join.bytes += Buffer.byteLength(ending.value) + 1;
      // Beyond the limit nobody gets them.
      join.slots.set(slot, { value: join.bytes <= flow.maxBytes ? ending.value : "null" });
    }
    if (join.slots.size === join.size) this.#close(flow, join, this.#endingOf(join, flow, ending));
  }

  /** @param last what came to the join last */
  #endingOf(join: RunningJoin, flow: RunningFlow, last: FlowEnding): FlowEnding {
    const outcome = joinOutcome(join, flow.maxBytes);
    if ("value" in outcome) return { kind: "value", value: outcome.value };
    if ("failure" in outcome) return { kind: "failed", failure: outcome.failure, joins: new Set() };
    return { joins: new Set(), ...(last.kind === "failed" && last), kind: "failed", failure: outcome.before };
  }

  #openJoin(flow: RunningFlow, join: RunningJoin | undefined, ending: FlowEnding): void {
    if (join === undefined || join.isClosed || join.size > 0) return;
    const isPassed = ending.kind === "value" || ending.kind === "starts";
    this.#close(flow, join, isPassed ? { kind: "value", value: "[]" } : ending);
  }

  #close(flow: RunningFlow, join: RunningJoin, ending: FlowEnding): void {
    join.isClosed = true;
    join.slots.clear();
    this.follow(flow, join.next, ending);
  }

  #send(flow: RunningFlow, call: RunningCall, value: string | undefined): void {
    sendCall(this.#parts.queues, flow, call, value, this.#now);
  }

  #drop(call: RunningCall): void {
    this.#cascade.push(() => {
      if (call.state === "unsent") this.leave(call.message.positions ?? [], dropped);
    });
  }

  #fail(flow: RunningFlow, call: RunningCall, ending: FailedEnding): void {
    if (call.state !== "unsent" || call.hasEnded) return;
    for (const record of recordsOfCall(flow, call, ending.failure, this.#now)) this.#parts.results.store(record);
    this.leave(call.message.positions ?? [], endingOfCall(flow, call, ending));
  }
}

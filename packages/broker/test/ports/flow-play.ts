import { setTimeout as pause } from "node:timers/promises";
import { callId, newId } from "../../src/protocol/id.js";
import type { Flow, FlowCall, FlowJoin } from "../../src/protocol/flow.js";
import type { Target } from "../../src/protocol/flow-position.js";
import type { Message } from "../../src/protocol/message.js";
import type { Outcome } from "../../src/protocol/outcome.js";
import type { TaskRecord } from "../../src/protocol/record.js";
import type { Consumer } from "../../src/ports/consumer.js";
import type { Delivery } from "../../src/ports/delivery.js";
import type { Settlement } from "../../src/ports/settlement.js";
import { contentOf, storeOf } from "./messages.js";
import type { Stage } from "./stage.js";

/** A call of a flow in short. Its task names what it does: see `run`. */
export interface Step extends Partial<Omit<FlowCall, "message">> {
  readonly task: string;
  readonly args?: readonly unknown[];
  readonly next?: readonly Target[];
  readonly message?: Partial<Message>;
}

/** A flow of `steps`, in the queue `feeds` unless they say otherwise, which begins with the calls `first`. */
export function flowOf(steps: readonly Step[], joins: readonly Partial<FlowJoin>[] = [], entries: readonly Target[] = [["step", 0]]): Flow {
  const id = newId();
  const calls = steps.map(({ task, args = [], next = [], message, ...call }, number): FlowCall => {
    const own = callId(id, number);
    return {
      queue: "feeds",
      takesValue: true,
      ...call,
      message: {
        id: own,
        task,
        args,
        headers: {},
        priority: 0,
        retries: 0,
        rootId: callId(id, 0),
        positions: [{ flow: id, call: number, next }],
        ...message,
      },
    };
  });
  const all = joins.map((join, number): FlowJoin => ({
    id: callId(id, 1000 + number),
    size: 2,
    onFailure: "fail",
    next: [],
    ...join,
  }));
  return { id, calls, joins: all, entries, expires: 60_000, maxPayload: 1000 };
}

/** What the tasks of these tests do. */
export function run({ task, args }: Message): Outcome {
  switch (task) {
    case "sum":
      return { type: "succeeded", result: JSON.stringify(args.flat().reduce((sum: number, value) => sum + Number(value), 0)) };
    case "list":
      return { type: "succeeded", result: JSON.stringify(args) };
    case "fail":
      return { type: "failed", failure: { name: "RangeError", message: `no ${String(args[0])}` } };
    case "revoke":
      return { type: "revoked", reason: "by hand" };
    default:
      throw new TypeError(`nobody knows ${task}`);
  }
}

const states = { succeeded: "SUCCESS", failed: "FAILURE", revoked: "REVOKED" } as const;

/** What settles `delivery`, run or with `outcome`. */
export function settlementOf(delivery: Delivery, outcome: Outcome = run(contentOf(delivery))): Settlement {
  const state = states[outcome.type as keyof typeof states];
  const failure = outcome.type === "failed" ? outcome.failure : undefined;
  const resultText = outcome.type === "succeeded" ? outcome.result : undefined;
  const reason = outcome.type === "revoked" ? outcome.reason : undefined;
  const { id, task } = contentOf(delivery);
  return { delivery, outcome, store: storeOf(id, { state, delivery: delivery.number, task, resultText, failure, reason }) };
}

/** Runs all that comes until `flow` is over, `together` at a time, and gives the messages in the order in which they were taken. */
export async function play(stage: Stage, consumer: Consumer, { id }: Pick<Flow, "id">, together = 10): Promise<readonly Message[]> {
  const played: Message[] = [];
  let settle: readonly Settlement[] = [];
  for (let round = 0; round < 500; round++) {
    const { deliveries, settled } = await consumer.settleAndTake({ settle, take: together });
    if (settled.some((one) => one !== "settled")) throw new Error(`not settled: ${settled.join()}`);
    played.push(...deliveries.map(contentOf));
    settle = deliveries.map((delivery) => settlementOf(delivery));
    if (settle.length > 0) continue;
    // What fails without having run does so beside all this.
    if ((await stage.engine.flows.revoke(id, [])) === undefined) return played;
    await pause(5);
  }
  throw new Error(`it is not over after ${played.map(({ task }) => task).join()}`);
}

/** The records of the calls of `flow`, in their order; read in parts, so that no reply is too long for a slow machine. */
export async function recordsOf(stage: Stage, { calls }: Flow): Promise<readonly (TaskRecord | undefined)[]> {
  const ids = calls.map(({ message }) => message.id);
  const records: (TaskRecord | undefined)[] = [];
  for (let at = 0; at < ids.length; at += 500) records.push(...(await stage.broker.backend.read(ids.slice(at, at + 500))));
  return records;
}

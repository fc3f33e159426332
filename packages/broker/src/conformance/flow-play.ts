import { callId, newId } from "../protocol/id.js";
import type { Consumer } from "../ports/consumer.js";
import type { Delivery } from "../ports/delivery.js";
import type { Settlement } from "../ports/settlement.js";
import type { Flow, FlowCall, FlowJoin } from "../protocol/flow.js";
import type { Target } from "../protocol/flow-position.js";
import type { Message } from "../protocol/message.js";
import type { Outcome } from "../protocol/outcome.js";
import type { TaskRecord } from "../protocol/record.js";
import { storeOf } from "./messages.js";
import { contentOf, type Stage } from "./stage.js";

/** A call of a flow in short. Its task names what it does: see `run`. */
export interface Step extends Partial<Omit<FlowCall, "message">> {
  readonly task: string;
  readonly args?: readonly unknown[];
  readonly next?: readonly Target[];
  readonly message?: Partial<Message>;
}

/**
 * A flow of `steps`, in the queue `feeds` unless they say otherwise, which begins with the targets
 * `entries`.
 */
export function flowOf(steps: readonly Step[], joins: readonly Partial<FlowJoin>[] = [], entries: readonly Target[] = [["step", 0]]): Flow {
  const id = newId();
  const calls = steps.map(({ task, args = [], next = [], message, ...call }, number): FlowCall => {
    const positions = [{ flow: id, call: number, next }];
    const own = { id: callId(id, number), task, args, headers: {}, priority: 0, retries: 0, rootId: callId(id, 0), positions };
    return { queue: "feeds", takesValue: true, ...call, message: { ...own, ...message } };
  });
  const all = joins.map((join, number): FlowJoin => ({ id: callId(id, 1000 + number), size: 2, onFailure: "fail", next: [], ...join }));
  return { id, calls, joins: all, entries, expires: 60_000, maxPayload: 1000 };
}

/** A group of calls of these tasks, each with its slot as its argument, and two steps behind it. */
export function chordOf(tasks: readonly string[], onFailure: "fail" | "partial" = "fail"): Flow {
  const body = tasks.length;
  const members = tasks.map((task, slot): Step => ({ task, args: [slot], next: [["slot", 0, slot]] }));
  const steps: readonly Step[] = [...members, { task: "list", next: [["step", body + 1]] }, { task: "list" }];
  return flowOf(steps, [{ size: tasks.length, onFailure, next: [["step", body]] }], [["steps", 0, body - 1]]);
}

/** The call of a flow with this number. */
export function callIn({ calls }: Flow, number: number): FlowCall {
  const call = calls[number];
  if (call === undefined) throw new Error(`there is no call ${number}`);
  return call;
}

/** What the tasks of these flows do. */
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

/** What settles `delivery`, run or with `outcome`, its result included. */
export function endOf(delivery: Delivery, outcome: Outcome = run(contentOf(delivery))): Settlement {
  const state = states[outcome.type as keyof typeof states];
  const failure = outcome.type === "failed" ? outcome.failure : undefined;
  const resultText = outcome.type === "succeeded" ? outcome.result : undefined;
  const reason = outcome.type === "revoked" ? outcome.reason : undefined;
  const { id, task } = contentOf(delivery);
  return { delivery, outcome, store: storeOf(id, { state, delivery: delivery.number, task, resultText, failure, reason }) };
}

/**
 * Runs all that comes until `flow` is over, `together` at a time, and returns the messages in the
 * order in which they were taken.
 */
export async function play(stage: Stage, consumer: Consumer, { id }: Pick<Flow, "id">, together = 10): Promise<readonly Message[]> {
  const played: Message[] = [];
  let settle: readonly Settlement[] = [];
  await stage.eventually(`end of flow ${id}`, async () => {
    do {
      const { deliveries, settled } = await consumer.settleAndTake({ settle, take: together });
      if (settled.some((one) => one !== "settled")) throw new Error(`not settled: ${settled.join()}`);
      played.push(...deliveries.map(contentOf));
      settle = deliveries.map((delivery) => endOf(delivery));
    } while (settle.length > 0);
    // What fails without having run may do so beside all this.
    return isOver(stage, id);
  });
  return played;
}

/** Whether a flow has ended, and nothing of it is kept. */
export async function isOver({ engine }: Stage, id: string): Promise<boolean> {
  return (await engine.flows.revoke(id, [])) === undefined;
}

/** The arguments of messages. */
export function argsOf(played: readonly Message[]): readonly (readonly unknown[])[] {
  return played.map(({ args }) => args);
}

/** The records of the calls of `flow`, in their order. */
export function recordsOf({ engine }: Stage, { calls }: Flow): Promise<readonly (TaskRecord | undefined)[]> {
  return engine.results.read(calls.map(({ message }) => message.id));
}

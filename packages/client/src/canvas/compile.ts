import {
  encodeMessage,
  replacementId,
  toMilliseconds,
  type Clock,
  type Flow,
  type FlowCall,
  type Json,
  type Message,
  type FlowPosition,
  type RoutedMessage,
} from "@bullrush/broker";
import { copyFor, messageOf, sendingParent, type PublishSettings, type Sending } from "../publishing/build-message.js";
import { chainOf, collectIn, type CanvasNode } from "./node.js";
import type { Plan, PlannedCall } from "./plan.js";
import { planOf } from "./planner.js";
import { inRanges } from "./ranges.js";
import { givenId, resultNode } from "./edit.js";

/** The context in which a canvas is compiled. */
export interface Setting {
  readonly options: PublishSettings & {
    /** How long the results of a flow are kept, in ms. */
    readonly resultExpires: number;
  };
  /** Reply channel of the sender. */
  readonly replyTo: string;
  readonly clock: Clock;
}

/** A compiled canvas: the messages of a flow, or independent messages. */
export type Compiled = { readonly plan: Plan } & ({ readonly flow: Flow } | { readonly sendings: readonly Sending[] });

/**
 * Compiles a canvas. Throws `INVALID_OPTION`, `INVALID_TASK_ID`, `ENCODE_ERROR`,
 * `PAYLOAD_TOO_LARGE`, and the router's errors.
 */
export function compile(node: CanvasNode, setting: Setting): Compiled {
  const plan = planOf(node, setting.options.router);
  const resent = givenId(node) !== undefined;
  const parent = sendingParent();
  const [first] = beginning(plan);
  const isFlow = plan.calls.some(({ next }) => next.length > 0) || plan.entries.some(([kind]) => kind === "open");
  const common = { plan, setting, isFlow, resent, parentId: parent?.id, rootId: parent?.rootId ?? first?.id ?? plan.id };
  if (isFlow) return { plan, flow: flowOf(common) };
  return { plan, sendings: sendingsOf(flowCallsOf(common), plan.calls) };
}

/**
 * Compiles the flow that replaces a task: the flow's result becomes the task's. The same canvas
 * gives the same flow at every run of the task.
 * @param queue the task's
 */
export function compileReplacement(node: CanvasNode, replaced: Message, queue: string, setting: Omit<Setting, "replyTo">): Flow {
  const id = replacementId(replaced.id);
  const whole = resultNode(node).type === "group" ? chainOf([node, collectIn(queue)]) : node;
  const plan = planOf(whole, setting.options.router, { id, ...(replaced.groupId !== undefined && { groupId: replaced.groupId }) });
  return flowOf({ plan, setting, isFlow: true, resent: true, parentId: replaced.id, rootId: replaced.rootId, replaced });
}

/** The fields that all messages of a canvas share. */
interface Common {
  readonly plan: Plan;
  readonly setting: Omit<Setting, "replyTo"> & { readonly replyTo?: string };
  readonly isFlow: boolean;
  readonly resent: boolean;
  readonly rootId: string;
  readonly parentId: string | undefined;
  readonly replaced?: Message;
}

function flowOf(common: Common): Flow {
  const { plan, setting, replaced } = common;
  const { maxPayload, resultExpires } = setting.options;
  const replyTo = setting.replyTo ?? replaced?.replyTo;
  return {
    id: plan.id,
    calls: flowCallsOf(common),
    joins: plan.joins,
    entries: inRanges(plan.entries),
    ...(replyTo !== undefined && { replyTo }),
    expires: resultExpires,
    maxPayload,
  };
}

function flowCallsOf(common: Common): readonly FlowCall[] {
  const { plan, setting } = common;
  const now = setting.clock.now();
  const atOnce = beginning(plan);
  return plan.calls.map((call, number) => flowCallOf(call, number, atOnce.has(call) ? now : undefined, common));
}

/** @param now absent for a call that is sent later in its flow */
function flowCallOf(call: PlannedCall, number: number, now: number | undefined, common: Common): FlowCall {
  const { node, queue, takesValue, startsMembersOf, hasHandle, copyOf } = call;
  const { countdown, expires = node.declared.expires } = node.options;
  const message = messageIn(call, number, now, common);
  return {
    queue,
    message,
    text: encodeMessage(message, common.setting.options.maxPayload),
    takesValue,
    ...(startsMembersOf.length > 0 && { startsMembersOf }),
    ...(!hasHandle && copyOf === undefined && { isLink: true }),
    ...(now === undefined && countdown !== undefined && { countdown: toMilliseconds(countdown, "countdown") }),
    ...(now === undefined && expires !== undefined && !(expires instanceof Date) && { lifetime: toMilliseconds(expires, "expires") }),
  };
}

function messageIn(call: PlannedCall, number: number, now: number | undefined, common: Common): Message {
  const { plan, setting, isFlow, rootId, replaced } = common;
  const { node, id, priority, next, groupId, before, hasHandle, copyOf } = call;
  const isResult = id === plan.id && copyOf === undefined;
  const message = messageOf(node, {
    id,
    priority,
    replyTo: replaced === undefined ? (hasHandle ? setting.replyTo : undefined) : isResult ? replaced.replyTo : undefined,
    now,
    rootId,
    parentId: before?.id ?? common.parentId,
    resent: common.resent || node.options.taskId !== undefined,
  });
  if (groupId !== undefined) message.groupId = groupId;
  if (replaced !== undefined) message.headers = inherited(replaced.headers, message.headers);
  if (isFlow) {
    const position: FlowPosition = { flow: plan.id, call: number, next: inRanges(next) };
    message.positions = isResult && replaced?.positions !== undefined ? [position, ...replaced.positions] : [position];
  }
  if (isResult && replaced !== undefined) message.replaces = [...(replaced.replaces ?? []), { id: replaced.id, task: replaced.task }];
  return copyOf === undefined ? message : copyFor(call.queue, message);
}

/** Only the replaced task is marked as a copy. */
function inherited({ fanoutOf: _, ...headers }: Message["headers"], own: Message["headers"]): Readonly<Record<string, Json>> {
  return { ...headers, ...own };
}

/** The calls that are sent at once. */
export function beginning({ entries, calls }: Plan): ReadonlySet<PlannedCall> {
  return new Set(entries.filter(([kind]) => kind !== "open").map(([, number]) => calls[number] as PlannedCall));
}

/** Each message, followed by its copies. */
function sendingsOf(messages: readonly FlowCall[], calls: readonly PlannedCall[]): readonly Sending[] {
  const sendings: [RoutedMessage, ...RoutedMessage[]][] = [];
  for (const [number, { queue, message, text = "" }] of messages.entries()) {
    const last = sendings.at(-1);
    if (last === undefined || calls[number]?.copyOf === undefined) sendings.push([{ queue, message, text }]);
    else last.push({ queue, message, text });
  }
  return sendings;
}

import { callId, checkTaskId, groupId, newId, type FlowJoin, type Router, type Routing, type Target } from "@bullrush/broker";
import { refuse } from "../options/check.js";
import { checkCall } from "../publishing/check-call.js";
import { givenId } from "./edit.js";
import { chainOf, collectIn, isEmpty, type CallNode, type CanvasNode, type ChainNode, type GroupNode } from "./node.js";
import { carryingSteps, unlike, type Range, type Watch } from "./watch.js";
import { linkContext, type Context, type Part } from "./part.js";
import type { Plan, PlannedCall, Trace } from "./plan.js";

/**
 * Plans a canvas from its end, so that the targets of each part's value are known before the part
 * is planned. Throws `INVALID_OPTION`, `INVALID_TASK_ID`, and the router's errors.
 * @param id of the result. Default: the canvas's `taskId`, else a fresh one
 * @param groupId of the group that contains all of it
 */
export function planOf(node: CanvasNode, router: Router, { id, groupId }: { readonly id?: string; readonly groupId?: string } = {}): Plan {
  const planner = new Planner(router, id ?? givenId(node) ?? newId());
  const { entries, last } = planner.plan(node, { ...linkContext, fed: false, groupId, hasHandle: true, isResult: true });
  planner.closeRanges();
  return { id: planner.id, calls: planner.calls, joins: planner.joins, entries, result: last };
}

class Planner {
  readonly id: string;
  readonly calls: PlannedCall[] = [];
  readonly joins: FlowJoin[] = [];
  readonly #router: Router;
  readonly #usedIds = new Set<string>();
  readonly #errors: { readonly target: [kind: "error", call: number, first: number, last: number]; readonly range: Range }[] = [];
  #groups = 0;

  constructor(router: Router, id: string) {
    this.#router = router;
    this.id = id;
  }

  plan(node: CanvasNode, context: Context): Part {
    switch (node.type) {
      case "call":
        return this.#call(node, context);
      case "chain":
        return this.#chain(node, context);
      case "group":
        return this.#group(node, "fail", context);
      case "chord": {
        const body = this.plan(node.body, { ...context, fed: true });
        const watches = isEmpty(node.body) ? context.watches : [];
        const header = this.#group(node.header, node.onFailure, { ...context, targets: body.entries, isResult: false, watches });
        body.first.parent = header.last;
        return { entries: header.entries, first: header.first, last: body.last };
      }
    }
  }

  #chain({ steps, onError }: ChainNode, context: Context): Part {
    const end = steps.length - 1;
    let behind: Part | undefined;
    let last: Trace | undefined;
    const whole: Range = { first: this.calls.length, last: 0 };
    const own = unlike(onError, [...context.notified, ...linksOf(context.watches)]);
    const watches = own.length === 0 ? context.watches : [...context.watches, { links: own, range: whole }];
    const notified = own.length === 0 ? context.notified : [...context.notified, ...own];
    const carrying = watches.length === 0 ? [] : carryingSteps(steps);
    let range: Range | undefined;
    for (let index = end; index >= 0; index--) {
      const carries = carrying.includes(index);
      if (carries) {
        if (range !== undefined) range.last = this.calls.length - 1;
        range = { first: this.calls.length, last: 0 };
      }
      // A failure before all of them reaches the first of them.
      const some = index === carrying.at(-1) ? watches : watches.map(({ links }) => ({ links, range: range ?? whole }));
      const step = this.plan(steps[index] as CanvasNode, {
        ...context,
        targets: behind?.entries ?? context.targets,
        fed: index > 0 || context.fed,
        isResult: context.isResult && index === end,
        watches: carries ? some : [],
        notified,
      });
      if (behind !== undefined) behind.first.parent = step.last;
      last ??= step.last;
      behind = step;
    }
    whole.last = this.calls.length - 1;
    if (behind === undefined || last === undefined) return refuse("a chain", "empty", "at least one step");
    return { ...behind, last };
  }

  #group({ id: chosen, members }: GroupNode, onFailure: FlowJoin["onFailure"], context: Context): Part {
    const { targets, fed, isResult } = context;
    const number = this.#groups++;
    const id = isResult ? this.id : chosen === undefined ? groupId(this.id, number) : this.#unused(chosen);
    const join = targets.length === 0 ? undefined : this.joins.push({ id, size: members.length, onFailure, next: targets }) - 1;
    const notified = linksOf(context.watches);
    const parts = members.map((member, slot) =>
      this.plan(member, { ...context, targets: join === undefined ? [] : [["slot", join, slot]], groupId: id, isResult: false, notified }),
    );
    const end = lastCallOf(parts.map(({ last }) => last));
    if (end !== undefined) for (const call of this.#reached(targets)) call.before ??= end;
    const begins = (part: Part) =>
      join !== undefined && fed ? this.#enter(join, part.entries, { ...context, groupId: id }) : part.entries;
    const entries = join !== undefined && parts.length === 0 ? [["open", join] as const] : parts.flatMap(begins);
    const trace: Trace = {
      group: id,
      members: parts.map(({ last }) => last),
      isPartial: onFailure === "partial",
      parent: undefined,
    };
    return { entries, first: trace, last: trace };
  }

  /**
   * Marks the calls with which a member of a group begins. Without the mark, a failure before the
   * group would count as a failure of the member.
   */
  #enter(join: number, entries: readonly Target[], context: Context): readonly Target[] {
    const calls = this.#reached(entries);
    if (calls.length > 0) {
      for (const call of calls) call.startsMembersOf.push(join);
      return entries;
    }
    const around = { ...context, hasHandle: false, isResult: false, watches: [] };
    const before = this.#call(collectIn(this.#queueBehind(join)), { ...around, targets: entries });
    return this.#enter(join, before.entries, context);
  }

  /** The calls that a value for these targets reaches, through empty groups too. */
  #reached(targets: readonly Target[]): readonly PlannedCall[] {
    return targets.flatMap(([kind, place]) => {
      if (kind === "step") return [this.calls[place] as PlannedCall];
      return kind === "open" ? this.#reached((this.joins[place] as FlowJoin).next) : [];
    });
  }

  /** The queue of the call that waits for a join. */
  #queueBehind(join: number): string {
    const [[kind, place] = refuse("a join", "without a step behind it", "one")] = (this.joins[join] as FlowJoin).next;
    return kind === "slot" || kind === "open" ? this.#queueBehind(place) : (this.calls[place] as PlannedCall).queue;
  }

  #call(node: CallNode, { targets, fed, groupId, hasHandle, isResult, watches, notified }: Context): Part {
    const { task, args, declared, options, straightTo } = node;
    const own: Watch = { links: unlike(node.onError, [...notified, ...linksOf(watches)]), range: { first: 0, last: 0 } };
    checkCall(task, args, options);
    const { queues, priority = 0 }: Pick<Routing, "queues" | "priority"> =
      straightTo === undefined ? this.#router.route({ task, args, call: options, declared }) : { queues: [straightTo] };
    const [first, ...others] = queues;
    if (first === undefined) throw new TypeError("a call goes to one queue at least");
    const links = this.#links(node.link, first).map((place) => ["link", place] as const);
    const errors = [own, ...watches].flatMap((watch) => this.#errorLinks(watch, first));
    const next = [...targets, ...links, ...errors];
    const number = this.calls.length;
    own.range.first = number;
    own.range.last = number;
    const id = isResult ? this.id : options.taskId === undefined ? callId(this.id, number) : this.#unused(options.taskId);
    const takesValue = fed && !node.immutable;
    const call: PlannedCall = {
      node,
      id,
      queue: first,
      priority,
      next,
      takesValue,
      groupId,
      hasHandle,
      startsMembersOf: [],
      copyOf: undefined,
      before: undefined,
    };
    const copies = others.map((queue): PlannedCall => ({ ...call, queue, next: [], startsMembersOf: [], hasHandle: false, copyOf: call }));
    this.calls.push(call, ...copies);
    for (const [kind, place] of next) if (kind === "link" || kind === "error") (this.calls[place] as PlannedCall).before = call;
    for (const follower of this.#reached(targets)) follower.before ??= call;
    const trace: Trace = { call, parent: undefined };
    const further = copies.map((_, index) => ["link", number + 1 + index] as const);
    return { entries: [["step", number], ...further], first: trace, last: trace };
  }

  /**
   * The calls that begin the links of a call in `queue`. Links are skipped where other
   * continuations would fail. A join cannot be skipped, so a call is put before it.
   */
  #links(links: readonly CanvasNode[], queue: string): readonly number[] {
    return links.flatMap((link) => {
      const node = beginsEmpty(link) ? chainOf([collectIn(queue), link]) : link;
      return this.plan(node, linkContext).entries.map(([, place]) => place);
    });
  }

  #errorLinks({ links, range }: Watch, queue: string): readonly Target[] {
    return this.#links(links, queue).map((place) => {
      const target: ["error", number, number, number] = ["error", place, 0, 0];
      this.#errors.push({ target, range });
      return target;
    });
  }

  /** Assigns the failures that error links are notified of, once everything is planned. */
  closeRanges(): void {
    for (const { target, range } of this.#errors) {
      target[2] = range.first;
      target[3] = range.last;
    }
  }

  /** `chosen`, an id that the caller chose. Throws `INVALID_OPTION` if another part has it. */
  #unused(chosen: string): string {
    const id = checkTaskId(chosen);
    if (id === this.id || this.#usedIds.has(id)) refuse('"taskId" in a canvas', "the same for several of its parts", "another for each");
    this.#usedIds.add(id);
    return id;
  }
}

function linksOf(watches: readonly Watch[]): readonly CanvasNode[] {
  return watches.flatMap(({ links }) => links);
}

/** The last call of the part that these handles are made of. */
function lastCallOf(traces: readonly Trace[]): PlannedCall | undefined {
  for (const trace of traces.toReversed()) {
    const call = "call" in trace ? trace.call : (lastCallOf(trace.members) ?? (trace.parent && lastCallOf([trace.parent])));
    if (call !== undefined) return call;
  }
  return undefined;
}

/** Whether an empty group is among the first parts of a canvas. */
function beginsEmpty(node: CanvasNode): boolean {
  switch (node.type) {
    case "call":
      return false;
    case "chain":
      return node.steps[0] !== undefined && beginsEmpty(node.steps[0]);
    case "group":
      return node.members.length === 0 || node.members.some(beginsEmpty);
    case "chord":
      return beginsEmpty(node.header);
  }
}

import type { Found } from "../../../broker/src/bullmq/queue-availability.js";

/** How a run ends in the model: for good, with another attempt now or later, put back, or with a message that follows it. */
export type End =
  | { readonly type: "done" | "now" | "back" }
  | { readonly type: "later"; readonly due: number }
  | { readonly type: "followed"; readonly queue: number };

export interface ModelSettlement {
  readonly queue: number;
  readonly id: string;
  readonly token: string;
  readonly end: End;
}

export interface Taken {
  readonly queue: number;
  readonly id: string;
  readonly token: string;
}

interface ModelQueue {
  /** The next one comes first. */
  readonly wait: string[];
  readonly prioritized: string[];
  readonly delayed: { readonly id: string; readonly due: number }[];
  /** Tokens by id. */
  readonly active: Map<string, string>;
  paused: boolean;
  /** Most jobs at once. */
  readonly limit: number | undefined;
  /** Its markers. */
  now: boolean;
  later: number | undefined;
}

/** A client that waits for a marker. */
export interface Blocked {
  readonly queues: readonly number[];
  readonly until: number;
  readonly answer: (reply: readonly [string, string, string] | null) => void;
}

/** A queue while a call takes from it. */
interface View {
  readonly index: number;
  readonly queue: ModelQueue;
  readonly unusual: boolean;
  supply: number;
  took: number;
  closed: boolean;
}

export const markerOf = (queue: number) => `queue-${queue}:marker`;

/** BullMQ's queues with their markers, as far as `exchange.lua` and BullMQ's own scripts decide who hears of what. Each method is one script. */
export class ModelRedis {
  readonly queues: readonly ModelQueue[];
  readonly blocked: Blocked[] = [];
  #ids = 0;

  constructor(limits: readonly (number | undefined)[]) {
    this.queues = limits.map((limit) => ({
      wait: [],
      prioritized: [],
      delayed: [],
      active: new Map<string, string>(),
      paused: false,
      limit,
      now: false,
      later: undefined,
    }));
  }

  publish(index: number, kind: "plain" | "prioritized"): void {
    const queue = this.#queue(index);
    queue[kind === "plain" ? "wait" : "prioritized"].push(this.#newId());
    this.#mark(queue);
    this.#serve();
  }

  publishLater(index: number, due: number): void {
    this.#delay(this.#queue(index), this.#newId(), due);
    this.#serve();
  }

  pause(index: number): void {
    const queue = this.#queue(index);
    queue.paused = true;
    queue.now = false;
    queue.later = undefined;
  }

  resume(index: number): void {
    const queue = this.#queue(index);
    queue.paused = false;
    if (hasWaiting(queue)) queue.now = true;
    else queue.later = queue.delayed[0]?.due;
    this.#serve();
  }

  /** As `recover.lua` does it. */
  scan(): void {
    for (const queue of this.queues) {
      if (queue.now || queue.later !== undefined || queue.paused || queue.limit !== undefined) continue;
      if (hasWaiting(queue)) queue.now = true;
      else queue.later = queue.delayed[0]?.due;
    }
    this.#serve();
  }

  /** ZADD NX. */
  handOn(index: number, member: string, due: number): void {
    const queue = this.#queue(index);
    if (member === "0") queue.now = true;
    else queue.later ??= due;
    this.#serve();
  }

  /** BZPOPMIN. */
  block(client: Blocked): void {
    this.blocked.push(client);
    this.#serve();
  }

  /** Ends the wait of `client`. */
  timeOut(client: Blocked): void {
    this.blocked.splice(this.blocked.indexOf(client), 1);
    client.answer(null);
  }

  /** Puts back what was taken by calls of which the replies were lost. */
  putBack(tokens: readonly string[]): void {
    for (const queue of this.queues) {
      for (const [id, token] of queue.active) if (tokens.includes(token)) this.#putBack(queue, id);
    }
    this.#serve();
  }

  /** @param turns queues from 1, negative for those that are only looked into if they are marked */
  exchange(
    now: number,
    settle: readonly ModelSettlement[],
    take: number,
    turns: readonly number[],
    token: string,
  ): Found & { readonly taken: readonly Taken[] } {
    for (const settlement of settle) this.#settle(settlement);
    const found = this.#take(now, take, turns, token);
    this.#serve();
    return found;
  }

  #settle({ queue: index, id, token, end }: ModelSettlement): void {
    const queue = this.#queue(index);
    if (queue.active.get(id) !== token) return;
    if (end.type === "followed") this.publish(end.queue, "plain");
    if (end.type === "back") return this.#putBack(queue, id);
    queue.active.delete(id);
    if (end.type === "later") return this.#delay(queue, id, end.due);
    if (end.type !== "now") return;
    queue.wait.push(id);
    this.#mark(queue);
  }

  #take(now: number, take: number, turns: readonly number[], token: string): Found & { readonly taken: readonly Taken[] } {
    const taken: Taken[] = [];
    const dry: { queue: number; due: number; heldBack: boolean }[] = [];
    const views = turns
      .filter((turn) => turn > 0 || this.#isMarked(this.#queue(-turn - 1), now))
      .map((turn) => this.#viewOf(Math.abs(turn) - 1, now));
    while (taken.length < take && views.some(({ closed }) => !closed)) {
      for (const view of views) {
        if (taken.length === take || view.closed) continue;
        const id = this.#reserve(view, now);
        if (id === undefined) dry.push(this.#close(view, now));
        else {
          view.queue.active.set(id, token);
          taken.push({ queue: view.index, id, token });
        }
      }
    }
    for (const { queue, took } of views) if (took > 0 && hasWaiting(queue)) queue.now = true;
    return { taken, gave: new Set(taken.map(({ queue }) => queue)), dry, broken: false };
  }

  #isMarked(queue: ModelQueue, now: number): boolean {
    return queue.now || (queue.later !== undefined && queue.later <= now) || queue.limit !== undefined;
  }

  #viewOf(index: number, now: number): View {
    const queue = this.#queue(index);
    const unusual = queue.paused || queue.limit !== undefined || isDue(queue, now);
    return { index, queue, unusual, supply: unusual ? 0 : queue.wait.length, took: 0, closed: false };
  }

  #reserve(view: View, now: number): string | undefined {
    const { queue } = view;
    if (view.took < view.supply) {
      view.took++;
      return queue.wait.shift();
    }
    if (view.took > 0 && hasWaiting(queue)) queue.now = true;
    if (!view.unusual && queue.prioritized.length === 0) return undefined;
    const due = queue.delayed.splice(0, queue.delayed.filter((job) => job.due <= now).length);
    queue.wait.push(...due.map(({ id }) => id));
    if (due.length > 0) this.#mark(queue);
    if (isHeldBack(queue)) return undefined;
    const id = queue.wait.shift() ?? queue.prioritized.shift();
    if (id !== undefined) queue.now = true;
    return id;
  }

  #close(view: View, now: number): { queue: number; due: number; heldBack: boolean } {
    const { index, queue } = view;
    view.closed = true;
    const waiting = hasWaiting(queue);
    if (!waiting) {
      queue.now = false;
      if (queue.later !== undefined && queue.later <= now) queue.later = undefined;
    }
    return { queue: index, due: queue.delayed[0]?.due ?? 0, heldBack: !queue.paused && (waiting || queue.limit !== undefined) };
  }

  #putBack(queue: ModelQueue, id: string): void {
    queue.active.delete(id);
    queue.wait.unshift(id);
    if (!queue.paused) queue.now = true;
  }

  #delay(queue: ModelQueue, id: string, due: number): void {
    queue.delayed.push({ id, due });
    queue.delayed.sort((a, b) => a.due - b.due);
    if (!queue.paused) queue.later = queue.delayed[0]?.due;
  }

  #mark(queue: ModelQueue): void {
    if (!isHeldBack(queue)) queue.now = true;
  }

  #serve(): void {
    for (const client of [...this.blocked]) {
      const index = client.queues.find((index) => this.#queue(index).now || this.#queue(index).later !== undefined);
      if (index === undefined) continue;
      this.blocked.splice(this.blocked.indexOf(client), 1);
      const queue = this.#queue(index);
      if (queue.now) {
        queue.now = false;
        client.answer([markerOf(index), "0", "0"]);
      } else {
        const due = queue.later;
        queue.later = undefined;
        client.answer([markerOf(index), "1", String(due)]);
      }
    }
  }

  #newId(): string {
    return `job-${++this.#ids}`;
  }

  #queue(index: number): ModelQueue {
    return this.queues[index]!;
  }
}

export function hasWaiting({ wait, prioritized }: ModelQueue): boolean {
  return wait.length + prioritized.length > 0;
}

export function isDue({ delayed }: ModelQueue, now: number): boolean {
  return delayed[0] !== undefined && delayed[0].due <= now;
}

/** Whether it is paused, or has as many jobs under way as it may. */
export function isHeldBack({ paused, limit, active }: ModelQueue): boolean {
  return paused || (limit !== undefined && active.size >= limit);
}

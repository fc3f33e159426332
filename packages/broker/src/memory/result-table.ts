import { isTerminal } from "../protocol/state.js";
import { decodeRecord, encodeRecord, type TaskRecord } from "../protocol/record.js";
import type { Claim, StoreReply, StoreRequest } from "../ports/results.js";
import type { SpaceTime } from "./space-time.js";
import { Topic } from "./topic.js";

/** What is stored until a time, in ms since the epoch. */
interface Timed {
  readonly text: string;
  readonly until: number;
}

/** A result that is told to the client that waits for it. */
export interface Notification {
  readonly id: string;
  readonly record: TaskRecord;
}

/**
 * The records of a space, and what its groups consist of, as JSON. The first stored terminal state
 * wins and never changes.
 */
export class ResultTable {
  readonly #time: SpaceTime;
  readonly #records = new Map<string, Timed>();
  readonly #groups = new Map<string, Timed>();
  readonly #channels = new Map<string, Topic<Notification>>();

  constructor(time: SpaceTime) {
    this.#time = time;
  }

  store({ id, delivery, expires, replyTo, record }: StoreRequest): StoreReply {
    const head = this.#headOf(id);
    if (head !== undefined && isTerminal(head.state)) return "superseded";
    if (head !== undefined && head.delivery > delivery && headIn(record).state !== "SUCCESS") return "fenced";
    this.#records.set(id, this.#timed(record, expires));
    if (replyTo !== undefined) this.#channels.get(replyTo)?.say(() => ({ id, record: decodeRecord(record) }));
    return "stored";
  }

  claim({ id, delivery, expires, worker, failure }: Claim): "claimed" | "fenced" | TaskRecord {
    const head = this.#headOf(id);
    if (head !== undefined && isTerminal(head.state)) return this.read(id) as TaskRecord;
    if (head !== undefined && head.delivery > delivery) return "fenced";
    this.#records.set(id, this.#timed(encodeRecord({ state: "STARTED", delivery, worker, failure }), expires));
    return "claimed";
  }

  unclaim(id: string, delivery: number): void {
    const head = this.#headOf(id);
    if (head?.state === "STARTED" && head.delivery === delivery) this.#records.delete(id);
  }

  read(id: string): TaskRecord | undefined {
    const text = this.#textIn(this.#records, id);
    return text === undefined ? undefined : decodeRecord(text);
  }

  forget(id: string): void {
    this.#records.delete(id);
  }

  saveGroup(id: string, text: string, expires: number): void {
    this.#groups.set(id, this.#timed(text, expires));
  }

  readGroup(id: string): string | undefined {
    return this.#textIn(this.#groups, id);
  }

  forgetGroup(id: string): void {
    this.#groups.delete(id);
  }

  /** What is told on a reply channel. */
  channel(name: string): Topic<Notification> {
    const topic = this.#channels.get(name) ?? new Topic();
    this.#channels.set(name, topic);
    return topic;
  }

  closeChannel(name: string): void {
    this.#channels.delete(name);
  }

  /** Removes what has expired. What nobody reads would stay for ever. */
  sweep(): void {
    const now = this.#time.now();
    for (const table of [this.#records, this.#groups]) for (const [id, { until }] of table) if (until <= now) table.delete(id);
  }

  #timed(text: string, expires: number): Timed {
    return { text, until: this.#time.now() + expires };
  }

  #textIn(table: Map<string, Timed>, id: string): string | undefined {
    const found = table.get(id);
    return found === undefined || found.until <= this.#time.now() ? undefined : found.text;
  }

  #headOf(id: string): Head | undefined {
    const text = this.#textIn(this.#records, id);
    return text === undefined ? undefined : headIn(text);
  }
}

type Head = Pick<TaskRecord, "state" | "delivery">;

/** State and delivery of an encoded record, which begins with them. */
function headIn(text: string): Head {
  const [, state, delivery] = /^\{"state":"([^"]*)","delivery":(\d+)/.exec(text) ?? [];
  if (state === undefined) throw new TypeError("a record begins with its state and its delivery");
  return { state, delivery: Number(delivery) };
}

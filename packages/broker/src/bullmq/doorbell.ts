import { setTimeout as pause } from "node:timers/promises";
import { openConnection, type Connection } from "../redis/connection.js";
import type { CompiledLocation } from "../redis/location.js";
import type { Outlook } from "./outlook.js";

/** Longest time to pass on what was heard, in ms: a worker that stops waits for it, and without it the others look by themselves after a while. */
const passOnDeadline = 1000;

export interface DoorbellOptions {
  readonly location: CompiledLocation;
  /** Where what was heard is passed on. */
  readonly commands: Connection;
  /** The keys of the markers, by queue. */
  readonly markers: readonly string[];
  readonly outlook: Outlook;
  /** Shown by `CLIENT LIST`. */
  readonly name: string;
  /** After which time without an answer a connection is dead, in ms. */
  readonly silence: number;
  /** Longest time that a call may take, outages included, in ms. */
  readonly deadline: number;
  readonly onTrouble?: (reason: string) => void;
}

/** Hears when there is something in any of some queues: one blocking connection for all their markers. A marker that it takes nobody else hears of, unless it is passed on. */
export class Doorbell {
  readonly #options: DoorbellOptions;
  readonly #bell: Connection;
  readonly #longest: number;
  readonly #closing = new AbortController();
  /** What was heard and is not answered: the queue, and the time that its marker spoke of. */
  readonly #heard = new Map<number, number>();

  constructor(options: DoorbellOptions) {
    const { location, name, silence, onTrouble } = options;
    this.#options = options;
    this.#longest = silence / 2;
    this.#bell = openConnection(location, { service: "broker", name, silence, ...(onTrouble && { onTrouble }) });
  }

  /** A message of `queue` was taken: its marker is answered. */
  answered(queue: number): void {
    this.#heard.delete(queue);
  }

  /** `queue` was empty, and its next message is due at `due`, or none is when that is 0. */
  ranDry(queue: number, due: number): void {
    if (due === 0) this.#heard.delete(queue);
    else this.#heard.set(queue, due);
  }

  /** Waits for the next marker, at most until it is time to look anyway. */
  async ring(): Promise<void> {
    const { markers, outlook } = this.#options;
    const now = Date.now();
    const wait = Math.min(this.#longest, outlook.nextLook(now) - now);
    if (wait <= 0) return;
    const listening = markers.filter((_, index) => !outlook.isResting(index, now));
    const reply = await this.#listen(listening, wait);
    if (reply === null) return;
    const index = markers.indexOf(reply[0]);
    const due = Number(reply[2]);
    this.#heard.set(index, due);
    outlook.rang(index, due);
  }

  /** The next marker of `listening`; `null` after `wait` ms, or when the connection was lost: what that one heard, nobody was told, so any may have been missed. */
  async #listen(listening: readonly string[], wait: number): Promise<readonly [string, string, string] | null> {
    const { outlook, deadline } = this.#options;
    if (listening.length === 0) return pause(wait, null, { signal: this.#closing.signal });
    try {
      return await this.#bell.run({ action: "no waiting for tasks", deadline: wait + deadline }, async (client, repeated) => {
        if (!repeated) return client.bzpopmin(...listening, Math.max(wait / 1000, 0.01));
        outlook.doubt();
        return null;
      });
    } catch (error) {
      outlook.doubt();
      throw error;
    }
  }

  /** Gives what was heard and is not answered to others. */
  async passOn(): Promise<void> {
    if (this.#heard.size === 0) return;
    const { commands, markers } = this.#options;
    const passed = [...this.#heard];
    this.#heard.clear();
    const now = Date.now();
    try {
      await commands.run({ action: "what was heard was not passed on", deadline: passOnDeadline }, (client) =>
        // NX: a message that is due before may have come since.
        Promise.all(passed.map(([index, due]) => client.zadd(markers[index] as string, "NX", ...(due <= now ? [0, "0"] : [due, "1"])))),
      );
    } catch (error) {
      for (const [index, due] of passed) if (!this.#heard.has(index)) this.#heard.set(index, due);
      throw error;
    }
  }

  /** Listens no more: a `ring` that waits rejects. */
  close(): void {
    this.#closing.abort();
    this.#bell.close();
  }
}

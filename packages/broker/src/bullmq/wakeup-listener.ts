import type { Timing } from "../time/shared-timer.js";
import type { Clock } from "../time/clock.js";
import type { Redis } from "ioredis";
import type { Connection } from "../redis/connection.js";
import { isWrongType } from "../redis/refusal.js";
import type { Marker, QueueAvailability } from "./queue-availability.js";

/**
 * Longest time to pass wakeups on, in ms: a worker that stops waits for it. Without it the other
 * workers look by themselves after a while.
 */
const passOnDeadline = 1000;

/** Longest time to find spoilt markers, in ms. */
const spoiltDeadline = 5000;

/**
 * How long a queue with a spoilt marker is not listened to, in ms. After that the queue is looked
 * into.
 */
const spoiltFor = 1000;

/** The members of BullMQ's sets of markers. */
const members = { now: "0", later: "1" };

export interface WakeupListenerOptions {
  /** Blocks until a marker comes. */
  readonly bell: Connection;
  /** Passes wakeups on. */
  readonly commands: Connection;
  /** The keys of the markers, by queue. */
  readonly markers: readonly string[];
  readonly availability: QueueAvailability;
  readonly clock: Clock;
  readonly timing: Pick<Timing, "setTimer">;
  /** Longest time that one read blocks, in ms. */
  readonly maxWait: number;
  /** Longest time that a call may take, outages included, in ms. */
  readonly deadline: number;
}

/**
 * Listens for work in some queues: one blocking connection for all their markers. A marker that it
 * takes reaches no other worker unless it is passed on.
 */
export class WakeupListener {
  readonly #options: WakeupListenerOptions;
  readonly #closing = new AbortController();

  constructor(options: WakeupListenerOptions) {
    this.#options = options;
  }

  /** Waits for the next marker, at most until it is time to look anyway. */
  async wait(): Promise<void> {
    const { markers, availability, clock, maxWait } = this.#options;
    const now = clock.now();
    const wait = Math.min(maxWait, availability.nextLookAt() - now);
    if (wait <= 0) return;
    // Wakeups that could not be passed on when their queue began to rest.
    await this.passOnResting(now);
    const listening = [...markers.keys()].filter((queue) => !availability.isBackedOff(queue, now));
    const reply = await this.#listen(listening, wait).catch((error: unknown) => this.#restSpoilt(listening, error));
    if (reply === null) return;
    const [key, member, score] = reply;
    availability.heard({ queue: markers.indexOf(key), kind: member === members.later ? "later" : "now", due: timeOf(score) });
    // The queue may have begun to rest meanwhile.
    await this.passOnResting(clock.now());
  }

  /**
   * The next marker of the queues `listening`; `null` after `wait` ms, or when the connection was
   * lost: its answer reached nobody, so any marker may have been missed.
   */
  async #listen(listening: readonly number[], wait: number): Promise<readonly [string, string, string] | null> {
    const { bell, markers, availability, deadline } = this.#options;
    if (listening.length === 0) return this.#sleep(wait);
    const keys = listening.map((queue) => markers[queue] as string);
    try {
      return await bell.run({ action: "no waiting for tasks", deadline: wait + deadline, blocking: true }, async (client, repeated) => {
        if (!repeated) return client.bzpopmin(...keys, Math.max(wait / 1000, 0.01));
        availability.assumeWork(listening);
        return null;
      });
    } catch (error) {
      availability.assumeWork(listening);
      throw error;
    }
  }

  /**
   * Lets queues rest whose markers hold something of another kind, so that the others are listened
   * to. Rejects with `error` if there are none.
   */
  async #restSpoilt(listening: readonly number[], error: unknown): Promise<null> {
    if (!isWrongType(error)) throw error;
    const { commands, availability, clock } = this.#options;
    const spoilt = await commands.run({ action: "no waiting for tasks", deadline: spoiltDeadline }, (client) =>
      Promise.all(listening.map((queue) => this.#isSpoilt(client, queue))),
    );
    if (!spoilt.includes(true)) throw error;
    listening.forEach((queue, index) => spoilt[index] && availability.backOff(queue, clock.now() + spoiltFor));
    return null;
  }

  #isSpoilt(client: Redis, queue: number): Promise<boolean> {
    const isSound = client.zrange(this.#options.markers[queue] as string, 0, "0").then(() => true, falseIfSpoilt);
    return isSound.then((sound) => !sound);
  }

  #sleep(wait: number): Promise<null> {
    const { signal } = this.#closing;
    return new Promise((resolve, reject) => {
      const onClose = () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      const timer = this.#options.timing.setTimer(() => {
        signal.removeEventListener("abort", onClose);
        resolve(null);
      }, wait);
      if (signal.aborted) onClose();
      else signal.addEventListener("abort", onClose, { once: true });
    });
  }

  /** Passes unanswered wakeups on to other workers. */
  release(): Promise<void> {
    return this.#handOn(this.#options.availability.release());
  }

  /** Passes the wakeups of queues that rest here on to other workers, which may take from them. */
  passOnResting(now: number): Promise<void> {
    const { availability } = this.#options;
    return this.#handOn(availability.release(availability.resting(now)));
  }

  async #handOn(passed: readonly Marker[]): Promise<void> {
    if (passed.length === 0) return;
    const { commands, availability } = this.#options;
    try {
      const isPassed = await commands.run({ action: "what was heard was not passed on", deadline: passOnDeadline }, (client) =>
        Promise.all(passed.map((marker) => this.#set(client, marker))),
      );
      // A marker of another kind can wake nobody.
      availability.keep(passed.filter((_, index) => isPassed[index] === false));
    } catch (error) {
      availability.keep(passed);
      throw error;
    }
  }

  /** Resolves with whether the marker could be set: its key may hold something of another kind. */
  #set(client: Redis, { queue, kind, due }: Marker): Promise<boolean> {
    // NX: a message that is due earlier may have come since.
    return client.zadd(this.#options.markers[queue] as string, "NX", due, members[kind]).then(() => true, falseIfSpoilt);
  }

  /** Stops listening: a pending `wait` rejects. */
  close(): void {
    this.#closing.abort(new Error("closed"));
    this.#options.bell.close();
  }
}

function falseIfSpoilt(error: unknown): false {
  if (isWrongType(error)) return false;
  throw error;
}

/** The time of a marker. A score that is no time, which BullMQ never sets, means now. */
function timeOf(score: string): number {
  const time = Number(score);
  return Number.isFinite(time) ? time : 0;
}

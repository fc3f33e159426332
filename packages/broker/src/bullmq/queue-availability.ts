/**
 * Longest time, in ms, until a queue that was empty is looked into again though no marker said so: a worker that took its marker may have died before it took the job. The scan for lost
 * leases sets such a marker again sooner, so this may be long.
 */
const lookAgainAfter = 30_000;

/** How soon a queue is looked into again whose limit of jobs at once holds some back, in ms: nothing is heard when one of them ends. */
const heldBackAgainAfter = 1000;

interface View {
  /** Look into it from this time on, whatever its marker says. */
  lookAt: number;
  /** Leave it alone until this time. */
  restUntil: number;
  /** Whether this worker owes an answer to its marker of now: nobody else hears of it. */
  owesNow: boolean;
  /** The same for its marker of a later time: that time, which may have come since. */
  owesLater: number | undefined;
  /** The number, of all news, of its last one: a marker that was heard, or a doubt. */
  lastNews: number;
}

/** A call that looks into queues. */
export interface Look {
  /** Indexes of the queues that it asks for messages. */
  readonly queues: readonly number[];
  /** How many news there were when it was sent. */
  readonly news: number;
}

/** What a look found. */
export interface Found {
  /** The queues that gave a message. */
  readonly gave: Iterable<number>;
  readonly dry: readonly Dry[];
  /** Whether the look was broken off: Redis is full, say. */
  readonly broken: boolean;
}

/** A queue that gave nothing, or no more. */
interface Dry {
  readonly queue: number;
  /** Ms until its rate limit ends. Default: 0. */
  readonly limited?: number;
  /** When its next delayed message is due, or 0. Default: 0. */
  readonly due?: number;
  /** Whether it has messages that a limit holds back. Default: false. */
  readonly heldBack?: boolean;
}

/**
 * What BullMQ sets for a queue so that one worker hears of it: one for `now` when there is something, one for a `later` time when the first delayed job is due. Each is heard once, so
 * whoever has heard it either takes, or learns when it is due next, or hands it on as it was.
 */
export interface Marker {
  /** Index of the queue. */
  readonly queue: number;
  readonly kind: "now" | "later";
  /** The time that it speaks of; 0 for `now`. */
  readonly due: number;
}

/**
 * What a consumer knows of its queues: which may hold something, so that it looks into those and leaves the others to their markers, and for which markers it owes
 * the other workers an answer. Times are ms since the epoch. It reads no clock: whoever decides something reads it once.
 */
export class QueueAvailability {
  readonly #views: readonly View[];
  #news = 0;

  constructor(queues: number) {
    this.#views = Array.from({ length: queues }, () => ({ lookAt: 0, restUntil: 0, owesNow: false, owesLater: undefined, lastNews: 0 }));
  }

  /** Begins a look into `queues`. Whatever becomes of it, it ends with `answered` or `lost`. */
  look(queues: readonly number[]): Look {
    return { queues, news: this.#news };
  }

  /** `look` was answered. What was heard of a queue since it was sent may be newer than what it found there, and stands. */
  answered(look: Look, now: number, { gave, dry, broken }: Found): void {
    for (const queue of gave) this.#gave(this.#view(queue), look);
    for (const found of dry) this.#ranDry(this.#view(found.queue), look, now, found);
    // The others are not asked again at once either.
    if (broken) for (const view of this.#views) view.lookAt = now + heldBackAgainAfter;
  }

  /** The answer to `look` was lost, and it may have removed the markers of its queues. */
  lost(look: Look): void {
    this.assumeWork(look.queues);
  }

  /** `marker` was heard, and by nobody else: its queue holds something from its time on. */
  heard({ queue, kind, due }: Marker): void {
    const view = this.#view(queue);
    view.lastNews = ++this.#news;
    view.lookAt = Math.min(view.lookAt, due);
    owe(view, kind, due);
  }

  /** Any marker of `queues` may have been missed, here and by the others. Default: of all queues. */
  assumeWork(queues: readonly number[] = this.#all()): void {
    for (const queue of queues) {
      this.heard({ queue, kind: "now", due: 0 });
      this.heard({ queue, kind: "later", due: 0 });
    }
  }

  /** The markers of `queues` that are to be handed to other workers; this one owes them no more. Default: of all queues. */
  release(queues: readonly number[] = this.#all()): readonly Marker[] {
    return queues.flatMap((queue) => {
      const view = this.#view(queue);
      const { owesNow, owesLater } = view;
      view.owesNow = false;
      view.owesLater = undefined;
      return [
        ...(owesNow ? [{ queue, kind: "now", due: 0 } as const] : []),
        ...(owesLater !== undefined ? [{ queue, kind: "later", due: owesLater } as const] : []),
      ];
    });
  }

  /** `markers` could not be handed to others: this worker owes them still. */
  keep(markers: readonly Marker[]): void {
    for (const { queue, kind, due } of markers) owe(this.#view(queue), kind, due);
  }

  /** Nothing is taken from `queue` until `until`. It is not listened to meanwhile, so it is looked into then. */
  backOff(queue: number, until: number): void {
    const view = this.#view(queue);
    view.restUntil = Math.max(view.restUntil, until);
    view.lookAt = 0;
  }

  isBackedOff(queue: number, now: number): boolean {
    return this.#view(queue).restUntil > now;
  }

  /** The queues that rest. */
  resting(now: number): readonly number[] {
    return this.#all().filter((queue) => this.isBackedOff(queue, now));
  }

  /** Whether `queue` may hold a message, as far as is known without its marker. */
  mayHold(queue: number, now: number): boolean {
    return this.#view(queue).lookAt <= now;
  }

  /** Whether any queue may hold a message now. */
  hasWork(now: number): boolean {
    return this.nextLookAt() <= now;
  }

  /** When to look into a queue next, if no marker is heard before. */
  nextLookAt(): number {
    return Math.min(...this.#views.map(({ lookAt, restUntil }) => Math.max(lookAt, restUntil)));
  }

  /** It may hold more. Of its delayed messages this says nothing, so a marker of a later time is not answered by it. */
  #gave(view: View, look: Look): void {
    view.lookAt = 0;
    if (view.lastNews <= look.news) view.owesNow = false;
  }

  #ranDry(view: View, look: Look, now: number, { limited = 0, due = 0, heldBack = false }: Dry): void {
    const times = [...(limited > 0 ? [now + limited] : []), ...(due > 0 ? [due] : [])];
    const next = Math.min(now + (heldBack ? heldBackAgainAfter : lookAgainAfter), ...times);
    if (view.lastNews > look.news) view.lookAt = Math.min(view.lookAt, next);
    else {
      // Nobody listens to it here until its rest is over.
      view.lookAt = view.restUntil > now ? 0 : next;
      view.owesNow = limited > 0 && heldBack;
      view.owesLater = undefined;
    }
    // The look removed the marker of what was due, and others may not know of what is due next.
    if (due > 0) owe(view, "later", due);
  }

  #all(): readonly number[] {
    return [...this.#views.keys()];
  }

  #view(queue: number): View {
    return this.#views[queue] as View;
  }
}

function owe(view: View, kind: Marker["kind"], due: number): void {
  if (kind === "now") view.owesNow = true;
  else view.owesLater = Math.min(view.owesLater ?? Infinity, due);
}

/** Longest time, in ms, until a queue that was empty is looked into again though no marker said so: a worker that took its marker may have died before it took the job. */
const lookAgainAfter = 20_000;

/** How soon a queue is looked into again whose limit of jobs at once holds some back, in ms: nothing is heard when one of them ends. */
const heldBackAgainAfter = 1000;

interface View {
  /** Look into it from this time on, whatever its marker says. */
  lookAt: number;
  /** Leave it alone until this time. */
  restUntil: number;
  /** The how-manieth ring of all was its last one. */
  lastRing: number;
}

interface Dry {
  readonly limited?: number;
  readonly due?: number;
  readonly heldBack?: boolean;
}

/** What a consumer expects of its queues, so that it looks into those that may hold something and leaves the others to their markers. Times are ms since the epoch. */
export class Outlook {
  readonly #views: readonly View[];
  #rings = 0;

  constructor(queues: number) {
    this.#views = Array.from({ length: queues }, () => ({ lookAt: 0, restUntil: 0, lastRing: 0 }));
  }

  /** It gave a message: it may hold more. */
  gave(queue: number): void {
    this.#view(queue).lookAt = 0;
  }

  /** It gave nothing. `limited`: ms until its rate limit ends; `due`: when its next delayed message is, or 0; `heldBack`: it has messages that a limit holds back. */
  ranDry(queue: number, now: number, { limited = 0, due = 0, heldBack = false }: Dry): void {
    const next = [
      now + (heldBack ? heldBackAgainAfter : lookAgainAfter),
      ...(limited > 0 ? [now + limited] : []),
      ...(due > 0 ? [due] : []),
    ];
    this.#view(queue).lookAt = Math.min(...next);
  }

  /** How many markers have been heard. */
  get rings(): number {
    return this.#rings;
  }

  /** Whether its marker was heard when `rings` others had been, or later. */
  rangSince(queue: number, rings: number): boolean {
    return this.#view(queue).lastRing > rings;
  }

  /** Its marker was heard: it holds something from `due` on. */
  rang(queue: number, due: number): void {
    const view = this.#view(queue);
    view.lastRing = ++this.#rings;
    view.lookAt = Math.min(view.lookAt, due);
  }

  /** Any marker may have been missed. */
  doubt(): void {
    for (const view of this.#views) view.lookAt = 0;
  }

  /** Nothing is taken from it until `until`. */
  rest(queue: number, until: number): void {
    const view = this.#view(queue);
    view.restUntil = Math.max(view.restUntil, until);
  }

  isResting(queue: number, now: number): boolean {
    return this.#view(queue).restUntil > now;
  }

  /** Whether it may hold a message, as far as is known without its marker. */
  mayHold(queue: number, now: number): boolean {
    return this.#view(queue).lookAt <= now;
  }

  /** Whether any queue may hold a message now. */
  mayTake(now: number): boolean {
    return this.nextLook(now) <= now;
  }

  /** When to look into a queue next, if no marker is heard before. */
  nextLook(now: number): number {
    return Math.min(...this.#views.map(({ lookAt, restUntil }) => (restUntil > now ? Math.max(restUntil, lookAt) : lookAt)));
  }

  #view(queue: number): View {
    return this.#views[queue] as View;
  }
}

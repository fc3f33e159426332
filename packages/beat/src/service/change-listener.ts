import type { ScheduleNews, Schedules } from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";

/** Interval of attempts to subscribe, until one succeeds, in ms. */
const interval = 5000;

/**
 * Calls `onNews` when entries have changed or a leader has resigned. Without a subscription the
 * beat still looks every `maxInterval`.
 */
export class ChangeListener {
  readonly #store: Pick<Schedules, "subscribe">;
  readonly #onNews: (news: ScheduleNews) => void;
  readonly #throttledLog: ThrottledLog;
  #listening: Promise<() => void> | undefined;
  #tries: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(store: Pick<Schedules, "subscribe">, onNews: (news: ScheduleNews) => void, throttledLog: ThrottledLog) {
    this.#store = store;
    this.#onNews = onNews;
    this.#throttledLog = throttledLog;
  }

  start(): void {
    void this.#listen();
    this.#tries = setInterval(() => void this.#listen(), interval);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#tries);
    this.#listening?.then((unsubscribe) => unsubscribe()).catch(() => undefined);
  }

  async #listen(): Promise<void> {
    if (this.#listening !== undefined) return;
    try {
      await (this.#listening = this.#store.subscribe(this.#onNews));
      // Changes between the first look and the subscription were not announced.
      if (!this.#stopped) this.#onNews("changed");
    } catch (error) {
      this.#listening = undefined;
      if (!this.#stopped) this.#throttledLog.warn("not listening for changes of entries", error);
    }
  }
}

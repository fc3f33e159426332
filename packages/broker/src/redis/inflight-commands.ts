import { SharedTimer, systemTiming, type Timing } from "../time/shared-timer.js";

interface Flight {
  readonly end: number;
  readonly reject: (reason: Error) => void;
  readonly idleTimeout: IdleTimeout | undefined;
  /** When the command was sent, if it has an idle timeout. */
  readonly since: number;
  /** Whether the command has been checked. */
  looked: boolean;
  /** When the command is checked next. */
  at: number;
  /** How many answers had come by the last check. */
  heard: number;
}

/** How long a command may wait while its connection says nothing. */
export interface IdleTimeout {
  /** In ms. */
  readonly limit: number;
  /**
   * Is called once the connection has said nothing for `limit`, and after each further `limit`.
   * After an answer that took longer than `limit`, the first call is up to twice as late: a slow
   * connection is not checked at every command.
   */
  readonly onIdle: () => void;
}

/** The unanswered commands of one connection: one promise each, and one timer for all. */
export class InflightCommands {
  readonly #flights = new Set<Flight>();
  readonly #timing: Timing;
  readonly #alarm: SharedTimer;
  /** Is called with true when the first of them is sent, and with false when none is left. */
  readonly #onTurn: (busy: boolean) => void;
  /** How many answers have come. */
  #answers = 0;
  /**
   * How long the last answer took, in ms, if that was longer than the limit of its idle timeout;
   * else 0.
   */
  #slowness = 0;

  constructor(timing: Timing = systemTiming, onTurn: (busy: boolean) => void = () => undefined) {
    this.#timing = timing;
    this.#onTurn = onTurn;
    this.#alarm = new SharedTimer(() => this.#look(), timing);
  }

  /** Whether any command is unanswered. */
  get isBusy(): boolean {
    return this.#flights.size > 0;
  }

  /**
   * Settles as `answer` does. Rejects at the time `end`, or as soon as the commands are lost; a
   * later answer is dropped.
   */
  add<T>(answer: Promise<T>, end: number, idleTimeout?: IdleTimeout): Promise<T> {
    return new Promise((resolve, reject) => {
      const since = idleTimeout === undefined ? 0 : this.#timing.now();
      const at = idleTimeout === undefined ? end : Math.min(end, since + this.#patience(idleTimeout));
      const flight: Flight = { end, reject, idleTimeout, since, looked: false, at, heard: this.#answers };
      this.#flights.add(flight);
      if (this.#flights.size === 1) this.#onTurn(true);
      this.#alarm.set(at);
      answer.then(
        (value) => {
          this.#remove(flight);
          resolve(value);
        },
        (error: unknown) => {
          this.#remove(flight);
          reject(error);
        },
      );
    });
  }

  /** Rejects all commands with `reason`. */
  lose(reason: Error): void {
    for (const { reject } of this.#flights) reject(reason);
    this.#flights.clear();
    this.#rest();
  }

  #patience({ limit }: IdleTimeout): number {
    return Math.max(limit, Math.min(this.#slowness * 1.5, limit * 2));
  }

  #remove(flight: Flight): void {
    this.#answers++;
    // The clock is not read for an answer in time.
    if (flight.idleTimeout !== undefined && (flight.looked || this.#slowness > 0)) {
      const took = this.#timing.now() - flight.since;
      this.#slowness = took > flight.idleTimeout.limit ? took : 0;
    }
    if (this.#flights.delete(flight) && this.#flights.size === 0) this.#rest();
  }

  #rest(): void {
    this.#alarm.rest();
    this.#onTurn(false);
  }

  #look(): void {
    const now = this.#timing.now();
    let next = Infinity;
    for (const flight of this.#flights) {
      if (flight.end > now) {
        if (flight.at <= now) this.#lookAt(flight, now);
        next = Math.min(next, flight.at);
      } else if (this.#flights.delete(flight)) flight.reject(new Error("no answer"));
    }
    this.#alarm.set(next);
    if (next === Infinity) this.#onTurn(false);
  }

  #lookAt(flight: Flight, now: number): void {
    const { idleTimeout, end } = flight;
    if (idleTimeout === undefined) return;
    const isSilent = flight.heard === this.#answers;
    flight.heard = this.#answers;
    flight.looked = true;
    flight.at = Math.min(end, now + idleTimeout.limit);
    if (isSilent) idleTimeout.onIdle();
  }
}

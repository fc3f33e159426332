import { SharedTimer, systemTiming, type Timing } from "../shared-timer.js";

interface Flight {
  readonly end: number;
  readonly reject: (reason: Error) => void;
  readonly silence: Silence | undefined;
  /** When it began, if it has a silence. */
  readonly since: number;
  /** Whether it has been looked at. */
  looked: boolean;
  /** When it is looked at next. */
  at: number;
  /** How many answers had come by the last look. */
  heard: number;
}

/** When a command has waited in vain for so long that its connection may be dead. */
export interface Silence {
  /** In ms. */
  readonly limit: number;
  /**
   * Called once `limit` has passed in which the connection answered nothing at all, and after each further `limit`. Where the answer before came later than `limit`, the first time is up to twice as
   * late: what is slow is not looked after at every command.
   */
  readonly onSilent: () => void;
}

/** The commands of one connection that are not answered yet: one promise each, and one timer for the times of all. */
export class InflightCommands {
  readonly #flights = new Set<Flight>();
  readonly #timing: Timing;
  readonly #alarm: SharedTimer;
  /** Hears when the first of them is sent, and when none is left. */
  readonly #onTurn: (busy: boolean) => void;
  /** How many answers have come. */
  #answers = 0;
  /** How long the last answer took, in ms, if that was longer than the limit of its silence; else 0. */
  #slowness = 0;

  constructor(timing: Timing = systemTiming, onTurn: (busy: boolean) => void = () => undefined) {
    this.#timing = timing;
    this.#onTurn = onTurn;
    this.#alarm = new SharedTimer(() => this.#look(), timing);
  }

  /** Whether anything is not answered yet. */
  get isBusy(): boolean {
    return this.#flights.size > 0;
  }

  /** What `answer` comes to, or a rejection at the time `end` or as soon as all are lost; what it comes to after that is dropped. */
  add<T>(answer: Promise<T>, end: number, silence?: Silence): Promise<T> {
    return new Promise((resolve, reject) => {
      const since = silence === undefined ? 0 : this.#timing.now();
      const at = silence === undefined ? end : Math.min(end, since + this.#patience(silence));
      const flight: Flight = { end, reject, silence, since, looked: false, at, heard: this.#answers };
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

  /** Rejects all with `reason`. */
  lose(reason: Error): void {
    for (const { reject } of this.#flights) reject(reason);
    this.#flights.clear();
    this.#rest();
  }

  #patience({ limit }: Silence): number {
    return Math.max(limit, Math.min(this.#slowness * 1.5, limit * 2));
  }

  #remove(flight: Flight): void {
    this.#answers++;
    // The clock is not read for what is answered in time.
    if (flight.silence !== undefined && (flight.looked || this.#slowness > 0)) {
      const took = this.#timing.now() - flight.since;
      this.#slowness = took > flight.silence.limit ? took : 0;
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
    const { silence, end } = flight;
    if (silence === undefined) return;
    const isSilent = flight.heard === this.#answers;
    flight.heard = this.#answers;
    flight.looked = true;
    flight.at = Math.min(end, now + silence.limit);
    if (isSilent) silence.onSilent();
  }
}

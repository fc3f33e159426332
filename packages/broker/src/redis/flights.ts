import { Alarm, systemTiming, type Timing } from "../alarm.js";

interface Flight {
  readonly end: number;
  readonly reject: (reason: Error) => void;
}

/** The commands of one connection that are not answered yet: one promise each, and one timer for the deadlines of all. */
export class Flights {
  readonly #flights = new Set<Flight>();
  readonly #timing: Timing;
  readonly #alarm: Alarm;

  constructor(timing: Timing = systemTiming) {
    this.#timing = timing;
    this.#alarm = new Alarm(() => this.#expire(), timing);
  }

  /** What `answer` comes to, or a rejection at the time `end` or as soon as all are lost; what it comes to after that is dropped. */
  add<T>(answer: Promise<T>, end: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const flight = { end, reject };
      this.#flights.add(flight);
      this.#alarm.set(end);
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
    this.#alarm.rest();
  }

  #remove(flight: Flight): void {
    if (this.#flights.delete(flight) && this.#flights.size === 0) this.#alarm.rest();
  }

  #expire(): void {
    const now = this.#timing.now();
    let next = Infinity;
    for (const flight of this.#flights) {
      if (flight.end > now) next = Math.min(next, flight.end);
      else if (this.#flights.delete(flight)) flight.reject(new Error("no answer"));
    }
    this.#alarm.set(next);
  }
}

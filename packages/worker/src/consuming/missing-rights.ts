import { BullrushError, type Clock } from "@bullrush/broker";

/** How long a worker that could work before goes on trying, in ms: its rights, or its password, may be changed in two steps. */
const patience = 60_000;

/**
 * Notes whether Redis lets its user do what a worker lives by. A right that was missing from the beginning does not come by waiting; one that was taken away may come back, and so may a login
 * that is refused: a worker that runs has logged in before.
 */
export class MissingRights {
  readonly #clock: Clock;
  readonly #onHopeless: (error: BullrushError) => void;
  #granted = false;
  #since: number | undefined;

  /** @param onHopeless hears when the worker cannot go on: at once if a right was never granted, else when nothing but refusals came for a minute */
  constructor(clock: Clock, onHopeless: (error: BullrushError) => void) {
    this.#clock = clock;
    this.#onHopeless = onHopeless;
  }

  granted(): void {
    this.#granted = true;
    this.#since = undefined;
  }

  /** Of any error: only a refusal counts. */
  failed(error: unknown): void {
    if (!(error instanceof BullrushError) || error.code !== "REDIS_AUTH") return;
    const now = this.#clock.now();
    this.#since ??= now;
    const { refusal } = (error as BullrushError<"REDIS_AUTH">).details;
    const neverGranted = !this.#granted && refusal !== "login-denied";
    if (neverGranted || now - this.#since >= patience) this.#onHopeless(error);
  }
}

import { setTimeout as pause } from "node:timers/promises";
import { Redis, type RedisOptions } from "ioredis";
import type { AskedPassword } from "./asked-password.js";

/** How a client asks for its password. */
export interface Asking {
  readonly password: AskedPassword;
  /** After this it connects no more. */
  readonly closing: AbortSignal;
  /** How long to wait, in ms, when the password could not be had for so many times. */
  readonly delay: (tries: number) => number;
  /** Whether that pause keeps the process alive. */
  readonly holdsProcess: boolean;
}

/**
 * A client that asks for its password before each try to connect, the first one and all that
 * ioredis begins by itself.
 */
export class AskingRedis extends Redis {
  readonly #asking: Asking;

  constructor(options: RedisOptions & { readonly replyMapping: "legacy" }, asking: Asking) {
    super(options);
    this.#asking = asking;
  }

  override async connect(): Promise<void> {
    this.options.password = await this.#ask();
    // It was closed while the question was under way.
    this.#asking.closing.throwIfAborted();
    await super.connect();
  }

  /** ioredis would not try again what fails before there is a socket. */
  async #ask(): Promise<string> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#asking.password.next(this.#asking.closing);
      } catch (error) {
        this.#asking.closing.throwIfAborted();
        this.emit("error", error);
      }
      await pause(this.#asking.delay(tries), undefined, { signal: this.#asking.closing, ref: this.#asking.holdsProcess });
    }
  }
}

import { setTimeout as pause } from "node:timers/promises";
import { Redis, type RedisOptions } from "ioredis";
import type { AskedPassword } from "./asked-password.js";

/** A client that asks for its password before each try to connect, the first one and all that ioredis begins by itself. */
export class AskingRedis extends Redis {
  readonly #password: AskedPassword;
  readonly #closing: AbortSignal;
  readonly #delay: (tries: number) => number;

  /** After `closing` it connects no more. `delay`: how long to wait, in ms, when the password could not be had for so many times. */
  constructor(
    options: RedisOptions & { readonly replyMapping: "legacy" },
    password: AskedPassword,
    closing: AbortSignal,
    delay: (tries: number) => number,
  ) {
    super(options);
    this.#password = password;
    this.#closing = closing;
    this.#delay = delay;
  }

  override async connect(): Promise<void> {
    this.options.password = await this.#ask();
    // It was closed while the question was under way.
    this.#closing.throwIfAborted();
    await super.connect();
  }

  /** ioredis would not try again what fails before there is a socket. */
  async #ask(): Promise<string> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#password.next(this.#closing);
      } catch (error) {
        this.#closing.throwIfAborted();
        this.emit("error", error);
      }
      await pause(this.#delay(tries), undefined, { signal: this.#closing });
    }
  }
}

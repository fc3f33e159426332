import type { Redis } from "ioredis";
import { BullrushError } from "../errors/error.js";
import type { Refusal } from "../errors/refusal-code.js";
import { steadyClock } from "../time/clock.js";
import { isAnswer, isDenied, isRightMissing, refusalOf } from "./refusal.js";
import { askingForCommand } from "./rights.js";
import type { Script } from "./script.js";

export interface CallErrorsOptions {
  /** The URL of the Redis without user and password. */
  readonly url: string;
  readonly user: string;
  /** Which service the errors name. */
  readonly service: "broker" | "result backend";
}

/** How long an answer about missing rights is cached, in ms: each of many messages may be refused. */
const cachedFor = 1000;

/** The coded errors of calls on one connection. */
export class CallErrors {
  readonly #options: CallErrorsOptions;
  /** The missing right, by the text of the script that needs it. */
  readonly #missing = new Map<string, Promise<Refusal>>();
  #cachedUntil = 0;

  constructor(options: CallErrorsOptions) {
    this.#options = options;
  }

  /** The coded error for what ioredis threw. */
  of(error: unknown, { action, deadline }: { readonly action: string; readonly deadline: number }): BullrushError {
    const { url, service } = this.#options;
    const refusal = refusalOf(error);
    if (isDenied(refusal)) return this.#authError(refusal);
    if (refusal.code === "out-of-memory" && service === "broker") return new BullrushError("BROKER_FULL", { url });
    const code = service === "broker" ? "BROKER_UNAVAILABLE" : "RESULT_BACKEND_UNAVAILABLE";
    const { reason } = refusal;
    return new BullrushError(code, { url, action, deadline, reason, ...(isAnswer(refusal) && { refusal: refusal.code }) });
  }

  /** `REDIS_AUTH` if one of `refusals`, which `script` caught, says that the user lacks a right. Never rejects. */
  async denied(refusals: readonly Refusal[], script: Script, client: () => Redis): Promise<BullrushError | undefined> {
    const refusal = refusals.find(isRightMissing);
    if (refusal === undefined) return undefined;
    const { lua } = await script.load();
    const now = steadyClock.now();
    if (now >= this.#cachedUntil) {
      this.#cachedUntil = now + cachedFor;
      this.#missing.clear();
    }
    if (!this.#missing.has(lua)) this.#missing.set(lua, askingForCommand(refusal, lua, client()));
    return this.#authError((await this.#missing.get(lua)) ?? refusal);
  }

  #authError({ code, reason, command }: Refusal): BullrushError {
    const { url, user } = this.#options;
    return new BullrushError("REDIS_AUTH", { url, user, refusal: code, reason, ...(command !== undefined && { command }) });
  }
}

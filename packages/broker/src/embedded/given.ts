import { setTimeout } from "node:timers/promises";
import { BullrushError } from "../error.js";
import { parseAddress } from "./address.js";
import { ask, reasonOf } from "./ask.js";
import type { RedisServer } from "./redis-server.js";

/** How long the Redis may take to answer, in ms. */
const deadline = 5000;

/** Time between two tries, in ms. */
const pause = 100;

/** Replies that refuse the user or the password. */
const refusal = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password|ERR AUTH|ERR Client sent AUTH)/;

/** Replies of a Redis that will answer later. */
const passing = /^(LOADING|BUSY|MASTERDOWN)/;

/**
 * The Redis at `url`, once it has answered a PING. Throws `INVALID_URL`, `REDIS_AUTH`, or, when it has not answered after 5 s, `BROKER_UNAVAILABLE`; none of
 * them has a cause, because ioredis keeps passwords on its errors.
 */
export async function useGiven(url: string): Promise<RedisServer> {
  const { options, display, user } = parseAddress(url);
  const end = Date.now() + deadline;
  for (;;) {
    try {
      await ask(options, end - Date.now(), (client) => client.ping());
      return { url, kind: "given", description: `Redis given by URL ${display}`, stop: async () => undefined };
    } catch (error) {
      const reason = reasonOf(error);
      if (refusal.test(reason)) throw new BullrushError("REDIS_AUTH", { url: display, user, reason });
      if (isReply(error) && !passing.test(reason)) throw new BullrushError("REDIS_UNSUITABLE", { url: display, reason });
      if (Date.now() + pause >= end)
        throw new BullrushError("BROKER_UNAVAILABLE", { url: display, action: "PING was not answered", deadline, reason });
    }
    await setTimeout(pause);
  }
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === "ReplyError";
}

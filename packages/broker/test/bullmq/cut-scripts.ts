import { Redis } from "ioredis";

/** What Redis says of a write that is cut. */
export const cutReply = "ERR cut by a test";

/** Has one run of a script fail at a write, on all connections of this process. */
export interface Cuts {
  /** The next run of a script whose text has `mark` in it fails at its `write`th write, counted from 1. */
  at(mark: string, write: number): void;
  /** Cuts nothing more. Whether a run was cut since. */
  end(redis: Redis): Promise<boolean>;
  close(): void;
}

const writing = [
  [
    "DEL",
    "HDEL",
    "HINCRBY",
    "HMSET",
    "HSET",
    "HSETNX",
    "INCR",
    "INCRBY",
    "LPUSH",
    "LREM",
    "LSET",
    "LTRIM",
    "PEXPIRE",
    "PUBLISH",
    "RPOPLPUSH",
    "RPUSH",
  ],
  ["SADD", "SET", "SETBIT", "SREM", "XADD", "XDEL", "XTRIM", "ZADD", "ZPOPMIN", "ZREM", "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE"],
].flat();

const noteKey = "test-cut-scripts";

/** Has the text behind it fail once, as a command that Redis refuses does. */
function cutter(write: number): string {
  return `local redis = (function(redis)
  local writing, writes = { ${writing.map((command) => `${command} = true`).join(", ")} }, 0
  local function cut(call, isCaught)
    return function(command, ...)
      if writing[command] then writes = writes + 1 end
      if not writing[command] or writes ~= ${write} then return call(command, ...) end
      redis.call("SET", "${noteKey}", command)
      if isCaught then return { err = "${cutReply}" } end
      error({ err = "${cutReply}" }, 0)
    end
  end
  return setmetatable({ call = cut(redis.call), pcall = cut(redis.pcall, true) }, { __index = redis })
end)(redis)
`;
}

/** Takes the place of `EVALSHA`, so that each script comes with its text. */
export function openCuts(): Cuts {
  const { evalsha, eval: evaluate } = Redis.prototype;
  let armed: { readonly mark: string; readonly write: number } | undefined;
  const unknown = async () => {
    throw Object.assign(new Error("NOSCRIPT for a test"), { name: "ReplyError" });
  };
  const shown = function (this: Redis, script: string, ...rest: never[]) {
    const cut = armed !== undefined && script.includes(armed.mark) ? cutter(armed.write) : "";
    if (cut !== "") armed = undefined;
    return (evaluate as (...args: unknown[]) => unknown).call(this, cut + script, ...rest);
  };
  Object.assign(Redis.prototype, { evalsha: unknown, eval: shown });
  return {
    at: (mark, write) => (armed = { mark, write }),
    end: async (redis) => {
      armed = undefined;
      return (await redis.del(noteKey)) === 1;
    },
    close: () => void Object.assign(Redis.prototype, { evalsha, eval: evaluate }),
  };
}

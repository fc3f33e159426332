import { format } from "node:util";
import type { Log, LogMethod } from "./log.js";

/**
 * The log of a task that is called directly: Node's console, from `warn` on. Each line also has the
 * fields of `bound`.
 */
export function localLog(bound: object): Log {
  const at = (write: (text: string, fields: object) => void): LogMethod => {
    return (first: object | string, ...rest: readonly unknown[]) => {
      if (typeof first === "string") return write(format(first, ...rest), bound);
      const fields = first instanceof Error ? { ...bound, err: first } : { ...bound, ...first };
      write(format(...rest), fields);
    };
  };
  return {
    trace: silent,
    debug: silent,
    info: silent,
    warn: at((text, fields) => console.warn(text, fields)),
    error: at((text, fields) => console.error(text, fields)),
    fatal: at((text, fields) => console.error(text, fields)),
    child: (fields) => localLog({ ...bound, ...fields }),
  };
}

const silent: LogMethod = () => {};

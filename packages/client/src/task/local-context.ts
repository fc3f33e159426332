import { BullrushError, newId } from "@bullrush/broker";
import { pino, type Logger } from "pino";
import { local, type TaskContext } from "./context.js";
import { Ignore } from "./ignore.js";
import { Reject } from "./reject.js";
import { Replace } from "./replace.js";
import { Retry } from "./retry.js";

let log: Logger | undefined;

/** What a task sees as `this` when it is called directly: nothing is stored, and its log goes to stdout from `warn` on. */
export function localContext(name: string, args: readonly unknown[]): TaskContext {
  const id = newId();
  log ??= pino({ level: "warn" });
  return {
    id,
    name,
    args,
    attempt: 1,
    retries: 0,
    queue: local,
    worker: local,
    rootId: id,
    parentId: undefined,
    groupId: undefined,
    eta: undefined,
    expires: undefined,
    headers: {},
    priority: 0,
    timeLimit: undefined,
    softTimeLimit: undefined,
    signal: new AbortController().signal,
    log: log.child({ task: name, id }),
    progress: async () => {},
    updateState: async () => {},
    retry: (options) => {
      const retry = new Retry(name, options);
      throw (retry.options.error ?? retry) as Error;
    },
    reject: (options) => {
      throw new Reject(name, options);
    },
    ignore: () => {
      throw new Ignore(name);
    },
    addToChord: async () => {
      throw new BullrushError("ADD_TO_CHORD_UNSUPPORTED", { task: name });
    },
    replace: (canvas) => {
      throw new Replace(name, canvas);
    },
  };
}

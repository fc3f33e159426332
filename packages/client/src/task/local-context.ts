import { BullrushError, newId } from "@bullrush/broker";
import { local } from "../running/running-task.js";
import type { TaskContext } from "./context.js";
import { Ignore } from "./ignore.js";
import { localLog } from "./local-log.js";
import { Reject } from "./reject.js";
import { Replace } from "./replace.js";
import { Retry } from "./retry.js";

/**
 * The `this` of a task that is called directly: it stores nothing, and logs to stdout from `warn`
 * on.
 */
export function localContext(name: string, args: readonly unknown[]): TaskContext {
  const id = newId();
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
    log: localLog({ task: name, id }),
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

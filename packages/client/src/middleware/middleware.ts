import type { ExecuteNext, Execution, Outcome } from "./execution.js";
import type { Hooks } from "./hooks.js";
import type { PublishCall, PublishNext, PublishResults } from "./publish-call.js";

/**
 * A user's layer around sending and running, with hooks. Added by `app.use()`; the first added is
 * the outermost.
 */
export interface Middleware {
  /** Unique in an app. Errors and log lines name the middleware by it. */
  readonly name: string;
  /**
   * Surrounds each sending: one call, all calls of `publishAll()`, a canvas, the ticks of a beat's
   * entry. The calls of a canvas come in no particular order. It calls `next` once, with `calls` or
   * with changed copies of them in the same order. An error that it throws rejects the caller's
   * promise; before `next` is called, nothing is sent.
   */
  publish?(calls: readonly PublishCall[], next: PublishNext): Promise<PublishResults>;
  /**
   * Surrounds one run of a task's function, in the process or thread that runs it. It calls `next`
   * at most once and returns its outcome. An error that it throws ends the run as if the function
   * had thrown it, an `Ignore`, `Reject` or `Retry` included.
   */
  execute?(execution: Execution, next: ExecuteNext): Promise<Outcome>;
  /** Hooks by name. A hook that throws, rejects or hangs is logged and changes nothing. */
  readonly on?: Partial<Hooks>;
}

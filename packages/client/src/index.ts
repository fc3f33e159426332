export { App, createApp, isApp } from "./app/app.js";
export type { AppOptions, CompiledOptions } from "./app/options.js";
export { PublishError } from "./app/publish-error.js";

export type { Middleware } from "./middleware/middleware.js";
export type { ExecuteNext, Execution, Outcome } from "./middleware/execution.js";
export type { PublishCall, PublishChanges, PublishNext, PublishResult, PublishResults } from "./middleware/publish-call.js";
export type { EndEvent, ExecutionEvent, HookEvent, Hooks, SentEvent, WorkerEvent } from "./middleware/hooks.js";
export type { ExecuteLayer, Layers } from "./middleware/layers.js";

export { every } from "./beat/every.js";
export { crontab, type CrontabField, type CrontabFields, type CrontabOptions } from "./beat/crontab.js";
export { cronOf, type Cron } from "./beat/cron.js";
export { solar } from "./beat/solar.js";
export type { ScheduleFunction, ScheduleOption } from "./beat/schedule.js";
export type { BeatEntry, BeatSettings, CompiledEntry, RuntimeEntry } from "./beat/entry.js";
export type { Beat } from "./beat/beat.js";
export type { ListedEntry, ListedTick } from "./beat/listed-entry.js";
export type { DueEntry } from "./beat/tick.js";

export type { AnyTask, AnyTaskFunction, Stub, Task, TaskDefinition, TaskFunction, TaskOf, TaskStub } from "./task/task.js";
export type { NotJson, SendableBy } from "./task/sendable.js";
export type { CallOptions, RecurringOptions, SharedOptions, TaskOptions } from "./options/task-options.js";
export { Signature, type HandlesOf } from "./canvas/signature.js";
export { Ignore, isIgnore } from "./task/ignore.js";
export { isReplace, Replace } from "./task/replace.js";
export { isRetry, Retry, type RetryOptions } from "./task/retry.js";
export { isReject, Reject, type RejectOptions } from "./task/reject.js";
export { matchesError, type ErrorMatch } from "./options/error-match.js";
export { currentTask, enclosingTask, runInTask, type TaskContext } from "./task/context.js";
export { outsideTask } from "./running/running-task.js";
export type { Log, LogMethod } from "./task/log.js";
export type { AwaitedTask, AwaitedTasks, Loan } from "./running/loan.js";
export { SoftTimeLimitExceeded } from "./task/errors.js";

export type { AnyCanvas, Canvas, CanvasData, NeedsOf, OnFailure, ResultOf, SingleCall } from "./canvas/canvas.js";
export type { CanvasPart } from "./canvas/base-canvas.js";
export { chain, Chain } from "./canvas/chain.js";
export { chord, Chord, type ChordOptions } from "./canvas/chord.js";
export { group, Group } from "./canvas/group.js";

export { AsyncResult } from "./result/async-result.js";
export { GroupResult } from "./result/group-result.js";
export type { TaskOutcome } from "./result/outcome.js";
export type { TaskDetails } from "./result/details.js";
export type { IterateOptions, Progress } from "./result/progress.js";
export type { GetOptions, WaitOptions } from "./result/wait-options.js";
export type { GroupResultData, ResultData, TaskResultData } from "./result/result-data.js";
export type { Handle, ValuesOf } from "./result/handle.js";
export { gather, type OutcomesOf } from "./result/gather.js";
export { asCompleted, type SingleResultOf } from "./result/as-completed.js";
export { waitFor, type Until, type Waited, type WaitForOptions } from "./result/wait-for.js";
export type { RevokeOptions } from "./control/revoke.js";
export { TaskFailedError, TaskRevokedError, TimeoutError, UnknownTaskError } from "./result/errors.js";

export {
  BullrushError,
  RemoteError,
  type CatchUp,
  type Duration,
  type ErrorCode,
  type Failure,
  type FailureFields,
  type Json,
  type FailureInfo,
  type RetentionOptions,
  type Schedule,
  type ScheduledCall,
  type SolarEvent,
  type TaskState,
} from "@bullrush/broker";

export { BullrushError, errorCodes, type ErrorCode, type ErrorDetails } from "./errors/error.js";
export { isRefused, ownFaultIn } from "./errors/refusal.js";
export type { Refusal, RefusalCode } from "./errors/refusal-code.js";
export { toMilliseconds, type Duration } from "./time/duration.js";
export { clip, textLimits } from "./errors/clip.js";
export { steadyClock, systemClock, type Clock } from "./time/clock.js";
export { SharedTimer, maxTimerDelay, systemTiming, type Timing } from "./time/shared-timer.js";
export { additionId, callId, checkTaskId, copyId, groupId, isTaskId, newId, replacementId, tickId } from "./protocol/id.js";

export type { Json, Message, RoutedMessage } from "./protocol/message.js";
export type { Flow, FlowAddition, FlowCall, FlowJoin, FailureInfo } from "./protocol/flow.js";
export type { TaskRef, FlowPosition, Target } from "./protocol/flow-position.js";
export { outcomeOfRecord, type FinalOutcome, type Outcome } from "./protocol/outcome.js";
export { carriedFailure } from "./protocol/carried-failure.js";
export { describeFailure, failureReason, RemoteError, withCause, type Failure } from "./protocol/failure.js";
export type { FailureFields } from "./protocol/failure-fields.js";
export { hasFrames } from "./protocol/stack-frames.js";
export { toFailure, type FailureOptions } from "./protocol/to-failure.js";
export { counted, indefinite, typeOf } from "./errors/words.js";
export { redactNamed } from "./errors/secret-names.js";
export { redactUrls } from "./errors/url-secrets.js";
export { isTerminal, type TaskState, type TerminalState } from "./protocol/state.js";
export { encodeRecord, type TaskRecord, type UnsentRecord } from "./protocol/record.js";
export { encodeMessage } from "./protocol/envelope.js";
export { readMessage } from "./protocol/read-message.js";
export { checkSize, defaultMaxPayload, maxMessageBytes } from "./protocol/payload-limit.js";
export { decodeJson, encodeErrorOf, encodeJson } from "./json/json.js";

export type { ConsumeOptions, Consumer, SettledAndTaken, QueueFault, LoanData, TakeWatch, Loans } from "./ports/consumer.js";
export type { Content, Delivery, Verdict } from "./ports/delivery.js";
export type { BrokerFacets, Engine, EngineClock, OnConnectionError } from "./ports/engine.js";
export type { FlowRevocation, Flows, Standing } from "./ports/flows.js";
export type { Loan, Location, Marked, QueueCounts, Queues, Revocation, TaskQuery } from "./ports/queues.js";
export { isFaultOf } from "./ports/is-fault-of.js";
export type { Settled, Settlement } from "./ports/settlement.js";
export { nameLifetime, type NameHolder, type WorkerNames } from "./ports/workers.js";
export type { ControlBus, ControlCommand } from "./ports/control-bus.js";
export type { Claim, ReadOptions, Results, StoreReply, StoreRequest } from "./ports/results.js";

export type { Advance, Advanced, Due, LastTick, NamedCall, ScheduleNews, Schedules, StoredEntry, Term, Tick } from "./ports/schedules.js";
export {
  lastTime,
  minInterval,
  solarEvents,
  type CatchUp,
  type Schedule,
  type ScheduledCall,
  type SolarEvent,
} from "./protocol/schedule.js";

export type { Bound, Retention } from "./ports/retention.js";

export { Router, type Routing } from "./routing/router.js";
export { Topology } from "./routing/topology.js";
export { checkQueueName, type QueueOption } from "./routing/queue.js";
export { compileRetention, defaultRetention, type BoundOptions, type RetentionOptions } from "./routing/retention.js";
export type { Route, RouteFunction, RouteTable } from "./routing/route.js";

export { compileLocation, type RedisLocation } from "./redis/location.js";
export { redisResultBackend } from "./redis/result-backend.js";
export { redisEngine, type RedisEngineOptions } from "./bullmq/redis-engine.js";
export { memoryEngine, type MemoryEngine, type MemoryEngineOptions } from "./memory/memory-engine.js";
export type { Workload } from "./memory/queue-table.js";
export { MovableClock } from "./memory/movable-clock.js";
export { isMemoryUrl, memoryNameIn } from "./memory/memory-url.js";

export { discoverApp, type FoundApp } from "./discover.js";
export { createLogger } from "./logger.js";
export { taskFields, watchFallout } from "./fallout.js";
export { cronOf, type Cron } from "../beat/cron.js";
export { enclosingTask } from "../task/context.js";
export { redact, redactFailure } from "./redact.js";
export { TroubleLog } from "./trouble-log.js";

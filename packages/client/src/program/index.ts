export { discoverApp, type FoundApp } from "./discover.js";
export { createLogger } from "./logger.js";
export { watchFallout } from "./fallout.js";
export { redact, redactFailure } from "./redact.js";
export { TroubleLog } from "./trouble-log.js";

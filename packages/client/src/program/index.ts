export { taskFields, watchFallout } from "./fallout.js";
export { cronOf, type Cron } from "../beat/cron.js";
export { enclosingTask } from "../task/context.js";
export { printable, printableLines } from "./printable.js";
export { redact, redactFailure } from "./redact.js";
export { ThrottledLog } from "./throttled-log.js";

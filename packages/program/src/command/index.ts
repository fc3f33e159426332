export { duration, level, parseCommand, wholeNumber } from "./parse.js";
export { runCommand } from "./run.js";
export { packageVersion } from "./version.js";

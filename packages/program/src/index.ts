export { expandName } from "./expand-name.js";
export { discoverApp, type FoundApp } from "./discover.js";
export { createLogger, jsonLogger } from "./logger.js";
export { logOutput, outputOf, type Output } from "./output/output.js";
export { OutputCapture } from "./output/output-capture.js";
export { shownPasswords } from "./shown-password.js";
export { uncheckedLinks } from "./unchecked-links.js";

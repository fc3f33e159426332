export { discoverApp, type FoundApp } from "./discover.js";
export { createLogger, jsonLogger } from "./logger.js";
export { shownPasswords } from "./shown-password.js";
export { uncheckedLinks } from "./unchecked-links.js";

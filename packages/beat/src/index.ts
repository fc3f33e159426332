export { createBeat, type Beat } from "./beat.js";
export type { BeatOptions, CompiledBeatOptions } from "./options.js";

export { createBeat, type Beat, type BeatOptions, type CompiledBeatOptions } from "@bullrush/beat";

export { describeEngine } from "./describe-engine.js";
export type { EngineSpace, TestRunner } from "./engine-space.js";

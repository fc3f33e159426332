export { createWorker, type Blame, type Worker } from "./worker.js";
export type { CompiledWorkerOptions, WorkerOptions } from "./options.js";

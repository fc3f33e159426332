export { createWorker, type Worker } from "./worker.js";
export type { CompiledWorkerOptions, WorkerOptions } from "./options.js";

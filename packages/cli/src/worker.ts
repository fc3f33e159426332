export { createWorker, type Blame, type CompiledWorkerOptions, type Worker, type WorkerOptions } from "@bullrush/worker";

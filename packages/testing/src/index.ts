export { eager, type Eager, type EagerOptions } from "./eager.js";
export { testWorker, type TestWorker, type TestWorkerOptions } from "./test-worker.js";
export { expectNotSent, expectSent, sent } from "./expect-sent.js";
export type { SentCall } from "./sent-call.js";

export {
  eager,
  expectNotSent,
  expectSent,
  sent,
  testWorker,
  type Eager,
  type EagerOptions,
  type SentCall,
  type TestWorker,
  type TestWorkerOptions,
} from "@bullrush/testing";

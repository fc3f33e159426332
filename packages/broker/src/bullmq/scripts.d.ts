/** BullMQ's Lua scripts, each with its includes resolved, as its own classes load them. They are not typed and not documented: the version is pinned exactly. */
declare module "bullmq/dist/cjs/scripts/*" {
  interface EngineScript {
    readonly content: string;
  }
  export const addDelayedJob: EngineScript;
  export const addPrioritizedJob: EngineScript;
  export const addStandardJob: EngineScript;
  export const drain: EngineScript;
  export const extendLocks: EngineScript;
  export const moveJobFromActiveToWait: EngineScript;
  export const moveStalledJobsToWait: EngineScript;
  export const moveToActive: EngineScript;
  export const moveToDelayed: EngineScript;
  export const moveToFinished: EngineScript;
  export const removeJob: EngineScript;
  export const retryJob: EngineScript;
  export const updateJobScheduler: EngineScript;
}

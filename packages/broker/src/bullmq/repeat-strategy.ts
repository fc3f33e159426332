import { defaultRepeatStrategy } from "bullmq";

/** When a pattern is due next, by BullMQ's own reckoning. In a file of its own, so that BullMQ is loaded by the first worker that meets a scheduler: few do. */
export const nextByBullmq = defaultRepeatStrategy;

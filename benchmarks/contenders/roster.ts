import { bullmq } from "./bullmq.js";
import { bullrush } from "./bullrush.js";

/** Who takes part. All scenarios compare with the peer. */
export const ours = bullrush("Bullrush", 1);
export const oursInOneDatabase = bullrush("Bullrush, results beside the queue", 0);
export const peer = bullmq("BullMQ");

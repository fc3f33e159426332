import { addDelayedJob } from "bullmq/dist/cjs/scripts/addDelayedJob-6.js";
import { addPrioritizedJob } from "bullmq/dist/cjs/scripts/addPrioritizedJob-9.js";
import { addStandardJob } from "bullmq/dist/cjs/scripts/addStandardJob-9.js";
import { drain } from "bullmq/dist/cjs/scripts/drain-5.js";
import { extendLocks } from "bullmq/dist/cjs/scripts/extendLocks-1.js";
import { moveJobFromActiveToWait } from "bullmq/dist/cjs/scripts/moveJobFromActiveToWait-9.js";
import { moveStalledJobsToWait } from "bullmq/dist/cjs/scripts/moveStalledJobsToWait-9.js";
import { moveToActive } from "bullmq/dist/cjs/scripts/moveToActive-11.js";
import { moveToDelayed } from "bullmq/dist/cjs/scripts/moveToDelayed-11.js";
import { moveToFinished } from "bullmq/dist/cjs/scripts/moveToFinished-14.js";
import { removeJob } from "bullmq/dist/cjs/scripts/removeJob-2.js";
import { retryJob } from "bullmq/dist/cjs/scripts/retryJob-11.js";
import { updateJobScheduler } from "bullmq/dist/cjs/scripts/updateJobScheduler-12.js";
import type { Parts } from "../redis/script.js";

/**
 * How BullMQ finds the id in the key of a job. Without an anchor, Lua tries it from each character of a key that has no colon: of a planted `parentKey` of three million characters, Redis would
 * see the end in hours. What it finds is the same.
 */
const idInKey = { slow: '".*:(.*)"', linear: '"^.*:(.*)"' };

/**
 * BullMQ's scripts as modules, each a Lua function. Each is a chunk that reads KEYS and ARGV and returns, so it becomes a function with those parameters as it stands, and with what stands for `redis` in it, if that is to be something else:
 * our scripts call it for many jobs in one round trip, and its keys, formats, events and locks stay BullMQ's to the letter.
 */
export const engineParts: Parts = Object.fromEntries(
  Object.entries({
    addDelayedJob,
    addPrioritizedJob,
    addStandardJob,
    drain,
    extendLocks,
    moveJobFromActiveToWait,
    moveStalledJobsToWait,
    moveToActive,
    moveToDelayed,
    moveToFinished,
    removeJob,
    retryJob,
    updateJobScheduler,
  }).map(([name, { content }]) => [
    name,
    `return function(KEYS, ARGV, whole)\nlocal redis = whole or redis\n${content.replaceAll(idInKey.slow, idInKey.linear)}\nend`,
  ]),
);

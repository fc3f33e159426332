import { beeQueue } from "./bee-queue.js";
import { bullmq } from "./bullmq.js";
import { bullrush } from "./bullrush.js";
import { celery } from "./celery.js";
import type { Contender } from "./contender.js";
import { rq } from "./rq.js";
import { sidekiq } from "./sidekiq.js";

/** The contenders. */
export const ours = bullrush({ id: "bullrush", name: "Bullrush" });
export const oursBeside = bullrush({ id: "bullrush-same-db", name: "Bullrush, results beside the queue", results: "same database" });
export const oursElsewhere = bullrush({ id: "bullrush-other-server", name: "Bullrush, results elsewhere", results: "another server" });
export const oursToNull = bullrush({ id: "bullrush-log-null", name: "Bullrush, log to /dev/null", log: "/dev/null" });
export const oursToFile = bullrush({ id: "bullrush-log-file", name: "Bullrush, log to a file", log: "file" });
export const oursOfTwo = bullrush({ id: "bullrush-2-queues", name: "Bullrush, 2 queues", queues: 2 });
export const oursOfFour = bullrush({ id: "bullrush-4-queues", name: "Bullrush, 4 queues", queues: 4 });

export const bee = beeQueue();

export const peer = bullmq({ id: "bullmq", name: "BullMQ" });
export const peerToNull = bullmq({ id: "bullmq-log-null", name: "BullMQ, log to /dev/null", log: "/dev/null" });
export const peerToFile = bullmq({ id: "bullmq-log-file", name: "BullMQ, log to a file", log: "file" });
export const peerOfTwo = bullmq({ id: "bullmq-2-queues", name: "BullMQ, 2 queues", queues: 2 });
export const peerOfFour = bullmq({ id: "bullmq-4-queues", name: "BullMQ, 4 queues", queues: 4 });

/** Contenders in other languages, which take part where they are installed. */
export const foreign: readonly Contender[] = [celery("solo"), celery("prefork"), rq(), sidekiq()];

import type { Outcome } from "@bullrush/broker";
import type { Received } from "../execution/received.js";

/** Looks at a delivery before it runs. An outcome ends it, and nothing runs; `pass` hands it to the next check. */
export type Check = (received: Received) => Outcome | "pass" | Promise<Outcome | "pass">;

/** What puts a delivery back into its queue, to be taken again after `pause` ms, and says so in the log. */
export type Requeue = (received: Received, reason: string, pause?: number) => Outcome;

/** For how long a message goes back into its queue for which a service cannot be asked, in ms; its queue is left alone for as long. */
export const unasked = 1000;

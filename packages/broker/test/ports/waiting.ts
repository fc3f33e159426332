import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import type { Consumer } from "../../src/ports/consumer.js";
import type { Delivery } from "../../src/ports/delivery.js";

/** The next `count` messages, waited for as a worker with a free slot waits for them. Throws if they have not come after `deadline` ms. */
export async function hear(consumer: Consumer, count: number, deadline = hangTimeout): Promise<readonly Delivery[]> {
  const end = Date.now() + deadline;
  const heard: Delivery[] = [];
  while (heard.length < count) {
    if (Date.now() > end) throw new Error(`after ${deadline} ms: ${heard.length} of ${count} messages`);
    if (!consumer.hasWork()) await consumer.wait();
    // A wait that ended by itself is no reason to look: what comes must be heard.
    if (consumer.hasWork()) heard.push(...(await take(consumer, count - heard.length)));
  }
  return heard;
}

/** What may be taken now, up to `count`. */
export async function take(consumer: Consumer, count: number): Promise<readonly Delivery[]> {
  const { deliveries } = await consumer.settleAndTake({ settle: [], take: count });
  return deliveries;
}

/** The one message that may be taken now. Throws if there is none. */
export async function takeOne(consumer: Consumer): Promise<Delivery> {
  const [delivery] = await take(consumer, 1);
  if (delivery === undefined) throw new Error("there is no message to take");
  return delivery;
}

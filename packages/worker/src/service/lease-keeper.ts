import type { Consumer, Delivery, Revocation } from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";
import type { Logger } from "pino";
import { every, type Service } from "./service.js";

export interface LeaseKeeperOptions {
  readonly consumer: Pick<Consumer, "renew">;
  /** In ms. */
  readonly lease: number;
  /** What is on loan now. */
  readonly held: () => readonly Delivery[];
  /** Whether a delivery still runs here, or waits to, and its lease is not known to be lost. */
  readonly isKept: (delivery: Delivery) => boolean;
  /** Hears of each delivery that others may have by now. */
  readonly onLost: (delivery: Delivery) => void;
  /** Hears of each delivery that somebody has revoked, at each round anew. */
  readonly onRevoked: (delivery: Delivery, revocation: Revocation) => void;
  readonly log: Logger;
  readonly trouble: ThrottledLog;
}

/** Renews the leases of all that is on loan, every third of a lease. */
export function leaseKeeper({ consumer, lease, held, isKept, onLost, onRevoked, log, trouble }: LeaseKeeperOptions): Service {
  async function renew(stopped: AbortSignal): Promise<void> {
    try {
      const { lost, revoked } = await consumer.renew(held());
      for (const { delivery, revocation } of revoked) onRevoked(delivery, revocation);
      for (const delivery of lost) {
        // What is being settled has no lease any more, or hears of it when it is settled.
        if (!isKept(delivery)) continue;
        log.warn({ id: delivery.id, queue: delivery.queue }, "lease lost: another worker may run this task, or has ended it");
        onLost(delivery);
      }
    } catch (error) {
      if (!stopped.aborted) trouble.warn("leases not renewed", error);
    }
  }

  return every(lease / 3, (stopped) => void renew(stopped));
}

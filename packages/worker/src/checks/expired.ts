import type { Clock } from "@bullrush/broker";
import { collect } from "../execution/collect.js";
import { expired as expiredOutcome } from "../execution/last-failure.js";
import type { Received } from "../execution/received.js";
import type { Check } from "./check.js";

/** Revokes what is taken at or after its expiry. */
export function expired(clock: Clock): Check {
  return (received) => {
    // The tasks of a flow have run, and this only hands on what they came to.
    if (received.definition === collect) return "pass";
    return isExpired(received, clock.now()) ? expiredOutcome(received.message?.lastFailure) : "pass";
  };
}

export function isExpired({ message }: Received, now: number): boolean {
  return message?.expires !== undefined && now >= message.expires;
}

import type { Clock } from "@bullrush/broker";
import type { Middleware } from "./middleware.js";

/** Revokes what is taken at or after its expiry. */
export function expiry(clock: Clock): Middleware {
  return (execution, next) => {
    const { expires } = execution.message;
    return expires !== undefined && clock.now() >= expires ? Promise.resolve({ type: "revoked", reason: "expired" }) : next(execution);
  };
}

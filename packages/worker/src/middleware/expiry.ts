import type { Clock } from "@bullrush/broker";
import { expired } from "../execution/last-failure.js";
import type { Middleware } from "./middleware.js";

/** Revokes what is taken at or after its expiry. */
export function expiry(clock: Clock): Middleware {
  return (execution, next) => {
    const { expires, lastFailure } = execution.message;
    return expires !== undefined && clock.now() >= expires ? Promise.resolve(expired(lastFailure)) : next(execution);
  };
}

import { BullrushError } from "@bullrush/broker";
import type { Pool } from "./pool.js";
import type { PoolName } from "./options.js";

/** The pool `name` in a bundle, where the file that its runners begin with is missing: it refuses to start. */
export function missingPool(name: PoolName): Pool {
  const reason =
    `the pool ${name} needs files of @bullrush/worker, which are not beside this bundle: ` +
    "leave the packages of @bullrush out of the bundle, or use the pool inline";
  return {
    start: async () => {
      throw new BullrushError("POOL_FAILED", { reason });
    },
    run: async () => ({ type: "requeued", reason }),
    stop: async () => {},
  };
}

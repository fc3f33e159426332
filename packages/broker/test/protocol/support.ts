import { inspect } from "node:util";
import * as fc from "fast-check";
import { expect } from "vitest";
import { BullrushError } from "../../src/errors/error.js";

/** Stands for a payload: no error may show it. */
export const canary = "canary-5ecret";

/** What `run` throws: a BullrushError in which the canary is nowhere. Fails when it throws nothing or something else. */
export function errorOf(run: () => unknown): BullrushError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(BullrushError);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(canary);
    return error as BullrushError;
  }
  throw new Error("nothing was thrown");
}

/** `value` as it is after a trip through JSON, computed another way: without `undefined` properties, without -0, with plain prototypes. */
export function asJson(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(asJson);
  const entries = Object.entries(value).filter(([, property]) => property !== undefined);
  return Object.fromEntries(entries.map(([key, property]) => [key, asJson(property)]));
}

/** Values that JSON can carry, without the keys that are refused. */
export const jsonValues = fc.jsonValue({ maxDepth: 5 }).filter((value) => !/"(__proto__|prototype)"/.test(JSON.stringify(value)));

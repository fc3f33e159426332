import * as fc from "fast-check";
import { command } from "./arbitraries/command.js";
import { entry } from "./arbitraries/entry.js";
import { external } from "./arbitraries/external.js";
import { flow } from "./arbitraries/flow.js";
import { listItem } from "./arbitraries/list-item.js";
import { message } from "./arbitraries/message.js";
import { record } from "./arbitraries/record.js";
import type { Plant } from "./plant.js";

const kinds = { message, "list-item": listItem, record, flow, entry, command, external } as const;

export type Kind = keyof typeof kinds;

export const allKinds = Object.keys(kinds) as readonly Kind[];

const weights: Readonly<Record<Kind, number>> = { message: 6, "list-item": 3, record: 3, flow: 4, entry: 2, command: 2, external: 2 };

/** `count` plants of these kinds, the same for the same seed. */
export function plantsOf(count: number, seed: number, of: readonly Kind[] = allKinds): readonly Plant[] {
  return fc.sample(fc.oneof(...of.map((kind) => ({ weight: weights[kind], arbitrary: kinds[kind] }))), { numRuns: count, seed });
}

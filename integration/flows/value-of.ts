import { createHash } from "node:crypto";
import type { Shape } from "./shape.js";

/** The value of the task `mix`: short, and different for different arguments. */
export function mix(...args: readonly unknown[]): string {
  return createHash("sha1").update(JSON.stringify(args)).digest("hex").slice(0, 10);
}

/**
 * What a shape comes to, evaluated here and now. @param before what comes to it from the step
 * before, if one is
 */
export function valueOf(shape: Shape, before: readonly [] | readonly [unknown] = []): unknown {
  switch (shape.type) {
    case "mix":
      return mix(...(shape.immutable ? [] : before), ...shape.args);
    case "swap":
      return valueOf(shape.by, shape.immutable ? [] : before);
    case "chain":
      return shape.steps.reduce<readonly [] | readonly [unknown]>((value, step) => [valueOf(step, value)], before)[0];
    case "group":
      return shape.members.map((member) => valueOf(member, before));
    case "chord":
      return valueOf(shape.body, [shape.header.map((member) => valueOf(member, before))]);
    case "map":
      return shape.items.map((item) => mix(item));
    case "starmap":
      return shape.lists.map((list) => mix(...list));
    case "chunks":
      return Array.from({ length: Math.ceil(shape.lists.length / shape.size) }, (_, chunk) =>
        shape.lists.slice(chunk * shape.size, (chunk + 1) * shape.size).map((list) => mix(...list)),
      );
  }
}

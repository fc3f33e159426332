import * as fc from "fast-check";
import { oddJson } from "./value.js";

/** Fields of an object, each with its value in JSON: a field may be there twice. */
export type Fields = readonly (readonly [name: string, json: string])[];

/**
 * `base` with up to three of its fields deleted or changed, or others added: of those that `others`
 * names, or of any name.
 */
export function mutated(base: Fields, others: readonly string[] = [], value: fc.Arbitrary<string> = oddJson): fc.Arbitrary<Fields> {
  const change = fc.record({
    how: fc.constantFrom("replace", "replace", "delete", "add", "add", "twice"),
    at: fc.nat(Math.max(0, base.length - 1)),
    name: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...others, ...base.map(([name]) => name)) },
      { weight: 1, arbitrary: fc.constantFrom("__proto__", "constructor", "toString", "") },
    ),
    value,
  });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const fields = [...base];
    for (const { how, at, name, value } of changes) {
      const [old] = fields[at] ?? [name];
      if (how === "add") fields.push([name, value]);
      else if (how === "twice") fields.unshift([old, value]);
      else if (how === "delete") fields.splice(at, 1);
      else fields[at] = [old, value];
    }
    return fields;
  });
}

/** The fields as JSON, or nearly. */
export function jsonOf(fields: Fields): string {
  return `{${fields.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}

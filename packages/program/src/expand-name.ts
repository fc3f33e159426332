import { hostname } from "node:os";
import { BullrushError, typeOf } from "@bullrush/broker";

/**
 * Expands the name of a worker or a beat: `%h` is the host, `%n` its first part, `%d` the rest,
 * `%p` the process id, `%%` a `%`. Throws `INVALID_OPTION` unless the result has 1 to 200
 * characters without whitespace.
 */
export function expandName(pattern: string): string {
  if (typeof pattern !== "string") throw refusal(typeOf(pattern), "a string");
  const host = hostname();
  const [first = host, ...rest] = host.split(".");
  const places: Readonly<Record<string, string>> = { h: host, n: first, d: rest.join("."), p: String(process.pid), "%": "%" };
  const name = pattern.replace(/%([hndp%])/g, (_, place: string) => places[place] ?? "");
  if (!/^[^\s\p{Cc}]{1,200}$/u.test(name)) throw refusal(JSON.stringify(name.slice(0, 80)), "1 to 200 characters without whitespace");
  return name;
}

function refusal(got: string, expected: string): BullrushError {
  return new BullrushError("INVALID_OPTION", { option: "name", got, expected });
}

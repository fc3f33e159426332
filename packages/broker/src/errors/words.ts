/** `noun` with its article: "an Error", "a Date", "a URL". */
export function indefinite(noun: string): string {
  return `${/^[aeio]/i.test(noun) ? "an" : "a"} ${noun}`;
}

/** What kind of value `value` is, by `typeof`: "an object", "a string", "undefined". */
export function typeOf(value: unknown): string {
  return value === undefined || value === null ? String(value) : indefinite(typeof value);
}

/** `count` with its noun: "1 result was", "2 results were". `many` defaults to `one` with an s. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * Whether `value` is a plain object: its prototype is `Object.prototype`, of this realm or another,
 * or none.
 */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

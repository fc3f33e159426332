/**
 * The current time in ms, with a fraction, on a clock that all processes of this machine share. Its
 * zero is arbitrary.
 */
export function now(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/**
 * What `act` costs of the processor, in ms. Others that want it too do not make that more, as they
 * do with the time on the clock.
 */
export function costOf(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

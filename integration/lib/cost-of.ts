/** The CPU time of `act`, in ms. Unlike wall-clock time, it does not grow on a busy machine. */
export function costOf(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

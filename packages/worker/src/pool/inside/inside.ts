const mark = Symbol.for("bullrush.inside-runner");
const shared = globalThis as { [mark]?: true };

/** Says that this thread or process is a runner. For all copies of this package. */
export function enterRunner(): void {
  shared[mark] = true;
}

/** Whether this code runs in a runner of a pool: a module that starts a worker is loaded there too, and must not start another. */
export function insideRunner(): boolean {
  return shared[mark] === true;
}

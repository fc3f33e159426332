import { setTimeout as pause } from "node:timers/promises";

/** Waits until `holds`, asked every 20 ms, is true. Throws with `what` after `deadline` ms. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>, deadline = 30_000): Promise<void> {
  const end = Date.now() + deadline;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`after ${deadline} ms it still does not hold that ${what}`);
    await pause(20);
  }
}

import type { Advance, Advanced, Tick } from "@bullrush/broker";
import type { App } from "@bullrush/client";

/**
 * Sends the steps `advance` with `send`, passing their ticks through the app's middleware. Rejects
 * with the error of `send` or of a middleware.
 */
export async function sendThroughMiddleware(
  app: Pick<App, "surroundTicks">,
  advance: Advance,
  send: (advance: Advance) => Promise<Advanced>,
): Promise<Advanced> {
  if (advance.ticks.length === 0) return send(advance);
  let advanced: Advanced = "changed";
  await app.surroundTicks(
    advance.ticks.map(({ messages }) => messages),
    async (changed) => {
      const ticks = advance.ticks.map((tick, index): Tick => ({ ...tick, messages: changed[index] ?? tick.messages }));
      advanced = await send({ ...advance, ticks });
      return ticks.map((_, index) => (wasSent(advanced, index) ? undefined : "skipped"));
    },
  );
  return advanced;
}

/** If the step is a repetition, it was sent as a whole before. */
function wasSent(advanced: Advanced, index: number): boolean {
  if (typeof advanced !== "object" || !("sent" in advanced)) return false;
  return index >= advanced.duplicates && index < advanced.duplicates + advanced.sent;
}

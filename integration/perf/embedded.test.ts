import { openRedis } from "@bullrush/broker/embedded";
import { Redis } from "ioredis";
import { expect, it } from "vitest";

it("the embedded server replies at once, not with its next tick of 100 ms", async () => {
  const server = await openRedis({ only: "embedded" });
  const client = new Redis(server.url);
  try {
    const times: number[] = [];
    for (let count = 0; count < 50; count++) {
      const since = performance.now();
      await client.ping();
      times.push(performance.now() - since);
    }
    expect(times.toSorted((a, b) => a - b)[25]).toBeLessThan(20);
  } finally {
    client.disconnect();
    await server.stop();
  }
});

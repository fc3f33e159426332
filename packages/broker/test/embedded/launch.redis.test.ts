import { describe, expect, test } from "vitest";
import { freePort } from "../../src/embedded/free-port.js";
import { openRedis } from "../../src/embedded/index.js";
import { launch } from "../../src/embedded/launch.js";
import type { Program } from "../../src/embedded/supervised.js";
import { kinds, nativeBinary, portOf, processesOn, withSilentServer } from "./support.js";

const programs: Program[] = [
  { kind: "embedded" },
  ...(nativeBinary === undefined ? [] : [{ kind: "native", binary: nativeBinary } as const]),
];

describe.each(programs)("a port for the $kind server", (program) => {
  test("that somebody else has taken is given up for another", async () => {
    await withSilentServer(async (taken) => {
      const free = await freePort();
      const ports = [taken, free];
      const result = await launch(program, async () => ports.shift() ?? 0);
      if (result.type !== "running") throw new Error(result.reason);
      expect(portOf(result.server.url)).toBe(free);
      await result.server.stop();
    });
  });

  test("on which another Redis answers is not mistaken for it", async () => {
    const other = await openRedis({ only: kinds[0] });
    let asked = 0;
    const result = await launch(program, async () => {
      asked += 1;
      return portOf(other.url);
    });
    expect(asked).toBe(5);
    const port = portOf(other.url);
    expect(result).toEqual({ type: "failed", reason: `somebody else listens on the ports ${Array(5).fill(port).join(", ")}` });
    expect((await processesOn(port)).length).toBeLessThanOrEqual(2);
    await other.stop();
  });
});

import { expect, test } from "vitest";
import { serverBinary } from "../lib/server.js";
import { fuzz } from "./fuzzing.js";

/** The same each time, so that a change is what makes it fail; `pnpm fuzz` takes others. */
const seed = Number(process.env["BULLRUSH_SEED"] ?? 77);

test.skipIf(serverBinary === undefined)(
  `nothing that is planted among honest tasks stops, spins or swells a process (BULLRUSH_SEED=${seed})`,
  async () => {
    // More is planted for each task than by `pnpm fuzz`: there is little time.
    const { faults, lines } = await fuzz({ seed, tasks: 1500, share: 0.1 });
    console.log(lines.join("\n  "));
    expect(faults).toEqual([]);
  },
);

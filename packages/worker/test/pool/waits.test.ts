import { newId } from "@bullrush/broker";
import { pino } from "pino";
import { expect, it } from "vitest";
import type { Execution } from "../../src/execution/execution.js";
import { warnOfWaits } from "../../src/pool/waits.js";

it("a pool warns once of each task that waits, whichever of its runs and runners it is", () => {
  const lines: unknown[] = [];
  const onWait = warnOfWaits("threads", pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) }));
  for (const task of ["report", "mail", "report"]) onWait({ message: { id: newId(), task, args: ["secret"] } } as unknown as Execution);
  const msg: unknown = expect.stringMatching(/keeps its slot, as in the pool threads.*this\.replace\(\)/);
  expect(lines).toMatchObject([
    { level: 40, task: "report", msg },
    { level: 40, task: "mail", msg },
  ]);
  expect(JSON.stringify(lines)).not.toContain("secret");
});

// Measures what the Lua scripts cost in Redis, beside an empty one and beside another checkout: `pnpm bench:scripts --help`.
import { parseArgs } from "node:util";
import { openMachine } from "./measuring/surroundings.js";
import { scriptCases } from "./scripts/cases.js";
import { scriptsOf } from "./scripts/loaded.js";
import { measureScripts } from "./scripts/measure.js";
import { scriptTable } from "./scripts/table.js";

const usage = `Usage: pnpm bench:scripts [options]

  --rounds <n>       runs of each script in each case (default: 5)
  --calls <n>        calls in each run (default: 20000; fewer where a call takes many messages)
  --against <folder> another checkout, built, whose scripts run in turn with these
  --help`;

const { rounds, calls, against, help } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    rounds: { type: "string", default: "5" },
    calls: { type: "string", default: "20000" },
    against: { type: "string" },
    help: { type: "boolean", default: false },
  },
}).values;

if (help) {
  console.log(usage);
  process.exit(0);
}

const here = await scriptsOf("this checkout", new URL("../..", import.meta.url));
const other = against === undefined ? [] : [await scriptsOf(against, new URL(`file://${against}/`))];
const machine = await openMachine({ pinned: true });
try {
  const costs = await measureScripts(machine.url, scriptCases, [...other, here], {
    rounds: Number(rounds),
    calls: Number(calls),
  });
  console.log(`${scriptTable(costs)}\n\n${machine.description.join("\n")}\nMicroseconds in Redis for each call, EVALSHA included.`);
} finally {
  await machine.close();
}

// pnpm fuzz [--seed n] [--tasks n] [--share n] [--seconds n] [--kinds a,b] [--log]: seed after seed
// until the time is over; ends with 1 if anything is wrong.
import { parseArgs } from "node:util";
import { fuzz } from "./fuzzing.js";
import { allKinds, type Kind } from "./plants.js";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    tasks: { type: "string", default: "20000" },
    share: { type: "string", default: "0.01" },
    seconds: { type: "string", default: "60" },
    kinds: { type: "string" },
    log: { type: "boolean", default: false },
  },
});

const kinds = values.kinds?.split(",") as readonly Kind[] | undefined;
const unknown = kinds?.filter((kind) => !allKinds.includes(kind)) ?? [];
if (unknown.length > 0) {
  console.error(`No such kind: ${unknown.join(", ")} (there are: ${allKinds.join(", ")})`);
  process.exit(2);
}

const end = Date.now() + Number(values.seconds) * 1000;
let seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const failed: number[] = [];
do {
  const { faults, lines } = await fuzz({
    seed,
    tasks: Number(values.tasks),
    share: Number(values.share),
    log: values.log,
    ...(kinds && { kinds }),
  });
  console.log(lines.join("\n  "));
  for (const fault of faults) console.log(`  FAULT ${fault}`);
  if (faults.length > 0) failed.push(seed);
  seed++;
} while (Date.now() < end);
console.log(failed.length === 0 ? "Nothing is wrong." : `Wrong with seed ${failed.join(", ")}.`);
process.exit(failed.length === 0 ? 0 : 1);

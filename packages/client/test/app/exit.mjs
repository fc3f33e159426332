// Runs one scenario of scenarios.ts from the sources: exit.mjs <scenario> <url>. It must end by
// itself.
import { fileURLToPath } from "node:url";
import { defaultServerConditions, runnerImport } from "vite";

const [scenario, url] = process.argv.slice(2);
const conditions = ["@bullrush/source", ...defaultServerConditions.filter((condition) => condition !== "module")];
process.on("unhandledRejection", (error) => {
  console.log("unhandled rejection:", error);
  process.exitCode = 3;
});
const { module } = await runnerImport(fileURLToPath(new URL("scenarios.ts", import.meta.url)), {
  configFile: false,
  logLevel: "silent",
  ssr: { resolve: { conditions } },
});
await module.scenarios[scenario](url);
console.log(`closed, with ${process.getActiveResourcesInfo().join(", ") || "nothing"} left`);

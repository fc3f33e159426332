// Runs one scenario of the bundled scenarios.ts: exit.mjs <bundle> <scenario> <url>. It must end by itself.
const [bundle, scenario, url] = process.argv.slice(2);
process.on("unhandledRejection", (error) => {
  console.log("unhandled rejection:", error);
  process.exitCode = 3;
});
const { scenarios } = await import(bundle);
await scenarios[scenario](url);
console.log(`closed, with ${process.getActiveResourcesInfo().join(", ") || "nothing"} left`);

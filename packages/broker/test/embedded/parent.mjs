// Opens a Redis from the sources, says its URL, and does what it is told: parent.mjs native|embedded stay|return|stop-on-sigint
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const [kind, manner] = process.argv.slice(2);
const source = fileURLToPath(new URL("../../src/embedded/index.ts", import.meta.url));
const { module } = await runnerImport(source, { configFile: false, logLevel: "silent" });
const redis = await module.openRedis({ only: kind });

if (manner !== "return") setInterval(() => {}, 1000);
if (manner === "stop-on-sigint") process.on("SIGINT", () => process.send({ type: "interrupted" }));
process.on("message", () => redis.stop().then(() => process.send({ type: "stopped" }, () => process.exit())));
if (manner === "return") process.channel.unref();
process.send({ type: "opened", url: redis.url });

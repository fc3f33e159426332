import { createApp } from "../../src/index.js";

const app = createApp({ broker: "redis://127.0.0.1:6379/0" });

/** A worker's task, of which a producer imports the type alone. */
export const taskA = app.task("tasks.taskA", async (x: number, y?: string) => ({ x, y: y ?? null }));

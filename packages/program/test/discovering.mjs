// Looks for apps in a process of its own: what loads TypeScript stays in a process for as long as
// it lives.
import { discoverApp } from "../dist/index.js";

process.on("message", (asked) => void answer(asked));

async function answer({ reference, directory, environment }) {
  try {
    const { app } = await discoverApp(reference, directory, environment);
    process.send({ label: app.label });
  } catch ({ code, message, cause }) {
    process.send({ code, message, cause: cause?.message });
  }
}

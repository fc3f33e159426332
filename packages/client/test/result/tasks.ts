import { store, testApp } from "../support.js";

/** An app and the handle on a task that it has sent. */
export async function sent(options: object = {}) {
  const app = testApp();
  return { app, re: await app.sendTask("tasks.a", [1], options) };
}

/** The handle on a task of this app whose record is stored already. */
export async function ended(record: Parameters<typeof store>[2]) {
  const { app, re } = await sent();
  await store(app, re, { task: "tasks.a", ...record });
  return { app, re };
}

export const failure = {
  name: "OutOfStock",
  message: "none left",
  code: "E_STOCK",
  stack: "OutOfStock: none left\n    at far away",
  cause: { name: "TypeError", message: "underneath" },
};

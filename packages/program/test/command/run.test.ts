import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("verbose.mjs", import.meta.url));

test("slow reader: gets all that the command wrote", async () => {
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  let text = "";
  for await (const chunk of child.stdout) {
    text += String(chunk);
    await pause(1);
  }
  expect(text.split("\n").slice(-2)).toEqual(["line 199999", ""]);
  expect(await ended).toEqual([0, null]);
});

test("reader that stops early: the command ends", async () => {
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout, "data");
  child.stdout.destroy();
  await once(child, "exit");
  expect(child.signalCode).toBeNull();
});

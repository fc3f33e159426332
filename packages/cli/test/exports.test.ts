import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/**
 * The names that a module of `export { … } from` exports, each with `type` if it is exported as a
 * type.
 */
function exportsOf(path: string): readonly string[] {
  const text = readFileSync(new URL(path, import.meta.url), "utf8");
  const lists = Array.from(text.matchAll(/export (type )?\{([^}]*)\}/g), ([, type, names = ""]) => ({ type, names }));
  return lists
    .flatMap(({ type, names }) =>
      names
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "")
        .map((name) => (type === undefined || name.startsWith("type ") ? name : `type ${name}`)),
    )
    .toSorted();
}

test.each([
  ["bullrush", "../src/index.ts", "../../client/src/index.ts"],
  ["bullrush/worker", "../src/worker.ts", "../../worker/src/index.ts"],
  ["bullrush/beat", "../src/beat.ts", "../../beat/src/index.ts"],
  ["bullrush/testing", "../src/testing.ts", "../../testing/src/index.ts"],
  ["bullrush/embedded", "../src/embedded.ts", "../../broker/src/embedded/index.ts"],
])("%s: exports what the package below it exports, and nothing else", (_, own, below) => {
  expect(exportsOf(below).length).toBeGreaterThan(1);
  expect(exportsOf(own)).toEqual(exportsOf(below));
});

test("bullrush: its values are those of the client", async () => {
  const [own, client] = await Promise.all([import("bullrush"), import("@bullrush/client")]);
  expect({ ...own }).toEqual({ ...client });
  expect(own.createApp).toBe(client.createApp);
});

import { once } from "node:events";
import { createApp } from "../../src/index.js";
import { expect, test } from "vitest";

test("any certificate accepted: a warning at the connection, not before", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on("warning", onWarning);
  await using app = createApp({ broker: "rediss://ann:s3cret@127.0.0.1:1?tls_insecure=1" });
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
  const said = once(process, "warning");
  // Nobody listens there, and nothing is sent: the connections are only made ready.
  expect(app.engine).toBeDefined();
  await said;
  process.off("warning", onWarning);
  expect(warnings).toMatchObject([{ name: "BullrushWarning", code: "BULLRUSH_UNCHECKED_CERTIFICATE" }]);
  expect(warnings[0]?.message).not.toContain("s3cret");
});

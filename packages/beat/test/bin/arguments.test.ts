import { expect, test } from "vitest";
import { parseArguments } from "../../src/bin/arguments.js";

test.each([
  [["--for", "1h"], "--for is for --dry-run"],
  [["--json"], "--json is for --list and --dry-run"],
  [["--list", "--dry-run"], "cannot be used with"],
  [["--dry-run", "--from", "soon"], "It has to be a time"],
  [["--dry-run", "--from", "2026-02-30"], "It has to be a time"],
  [["--dry-run", "--from", "1"], "It has to be a time"],
  [["--show-args"], "--show-args is for"],
  [["--metrics-port", "x"], "whole number"],
  [["--metrics-port", "65536"], "a port"],
  [["--metrics-port", "9000", "--list"], "cannot be used with"],
  [["--metrics-host", "::1"], "--metrics-host is for"],
])("%j is refused", (args, reason) => {
  expect(() => parseArguments(["node", "task-beat", ...args], "1.2.3", "task-beat")).toThrow(reason);
});

import { describe, expect, it } from "vitest";
import { redact } from "../../src/program/redact.js";

describe("redact", () => {
  it.each([
    ["redis://:secret@host", "redis://***@host"],
    ["redis://user:secret@host:6379/1", "redis://***@host:6379/1"],
    ["REDISS://u:se/cr@et@host is down", "REDISS://***@host is down"],
    ["unknown option '--brokr=redis://u:secret@h'", "unknown option '--brokr=redis://***@h'"],
    ["redis://a:secret@h and redis://b:secret@h", "redis://***@h and redis://***@h"],
    ["postgres://u:secret@db/x", "postgres://***@db/x"],
  ])("takes user and password out of %s", (text, shown) => {
    expect(redact(text)).toBe(shown);
  });

  it.each([
    "redis://host:6379/1",
    "expected redis://[user:password@]host[:port][/database]",
    "Cannot find package '@scope/name' imported from file:///app/@scope/tasks.ts",
    "a@b",
    "https://example.org/@name",
    "",
  ])("leaves %j", (text) => {
    expect(redact(text)).toBe(text);
  });
});

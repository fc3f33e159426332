import { expect, test } from "vitest";
import { parseAddress } from "../../src/embedded/address.js";

test.each([
  ["redis://host", { host: "host", port: 6379, db: 0 }, "redis://host:6379/0", "default"],
  ["redis://:p%40ss@host:1/", { host: "host", port: 1, db: 0, password: "p@ss" }, "redis://host:1/0", "default"],
  ["redis://ann:100%@host/3", { host: "host", port: 6379, db: 3, username: "ann", password: "100%" }, "redis://host:6379/3", "ann"],
  ["rediss://[::1]:7/2?family=6", { host: "::1", port: 7, db: 2, tls: {} }, "rediss://[::1]:7/2", "default"],
])("%s is read", (url, options, display, user) => {
  expect(parseAddress(url)).toEqual({ options, display, user });
});

test.each(["", "host", "s3cret:6379", "http://:s3cret@host", "redis:///1", "redis://:s3cret@host/db", "redis://:s3cret@host:port"])(
  "%j is refused, and not quoted",
  (url) => {
    expect(() => parseAddress(url)).toThrow(
      expect.objectContaining({ code: "INVALID_URL", message: expect.not.stringContaining("s3cret") }),
    );
  },
);

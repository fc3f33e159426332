import { createApp } from "@bullrush/client";
import { expect, test } from "vitest";
import { uncheckedLinks } from "../src/unchecked-links.js";

test.each([
  ["redis://cache", "redis://cache", 0],
  ["rediss://cache", "redis://cache", 0],
  ["rediss://ann:s3cret@cache?tls_insecure=1", "redis://cache", 1],
  ["rediss://ann:s3cret@cache/1?tls_insecure=1", "rediss://cache/2?ssl_cert_reqs=none", 2],
  ["rediss://cache?tls_insecure=1", "rediss://cache?tls_insecure=1", 1],
])("%s and %s: %i warnings, without a password", (broker, backend, count) => {
  const links = uncheckedLinks(createApp({ broker, backend }));
  expect(links).toHaveLength(count);
  for (const link of links) expect(link).toMatch(/^the certificate of rediss:\/\/cache:6379\/\d is not checked: /);
});

import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileLocation, isSameServer, type RedisLocation } from "../../src/redis/location.js";

const secret = "canary-5ecret";

/** The error that `location` gives; fails if it gives none, or one that shows the secret. */
function refusalOf(location: RedisLocation): unknown {
  try {
    compileLocation(location);
  } catch (error) {
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
    return error;
  }
  throw new Error("it was accepted");
}

describe("a URL", () => {
  test.each([
    ["redis://127.0.0.1", { host: "127.0.0.1", port: 6379, db: 0 }, "redis://127.0.0.1:6379/0"],
    ["redis://127.0.0.1:7000", { host: "127.0.0.1", port: 7000, db: 0 }, "redis://127.0.0.1:7000/0"],
    ["redis://cache.example.org/", { host: "cache.example.org", port: 6379, db: 0 }, "redis://cache.example.org:6379/0"],
    ["redis://cache:7000/12", { host: "cache", port: 7000, db: 12 }, "redis://cache:7000/12"],
    ["REDIS://cache/1", { host: "cache", port: 6379, db: 1 }, "redis://cache:6379/1"],
    ["rediss://cache:7000/1", { host: "cache", port: 7000, db: 1, tls: {} }, "rediss://cache:7000/1"],
    ["redis://[::1]", { host: "::1", port: 6379, db: 0 }, "redis://[::1]:6379/0"],
    ["redis://[2001:db8::7]:7000/3", { host: "2001:db8::7", port: 7000, db: 3 }, "redis://[2001:db8::7]:7000/3"],
  ])("%s", (url, options, display) => {
    expect(compileLocation(url)).toEqual({ options, display, user: "default" });
  });

  test.each([
    [`redis://:${secret}@cache`, { password: secret }, "default"],
    [`redis://ann:${secret}@cache/1`, { username: "ann", password: secret }, "ann"],
    ["redis://ann@cache/1", { username: "ann" }, "ann"],
    [`redis://ann:${secret}@[::1]:7000/1`, { username: "ann", password: secret, host: "::1" }, "ann"],
    ["redis://:p%40ss%3Aw%2Frd%23%3F%25@cache", { password: "p@ss:w/rd#?%" }, "default"],
    ["redis://:100%25%zz%@cache", { password: "100%25%zz%" }, "default"],
    ["redis://:p+q%20r&s=t!$'()*,;@cache", { password: "p+q r&s=t!$'()*,;" }, "default"],
    ["redis://a%40b.c:x:y:z@cache", { username: "a@b.c", password: "x:y:z" }, "a@b.c"],
    ["redis://:пароль@cache", { password: "пароль" }, "default"],
  ])("with a user or a password: %s", (url, options, user) => {
    const location = compileLocation(url);
    expect(location.options).toMatchObject(options);
    expect(location.user).toBe(user);
    expect(location.display).toMatch(/^redis:\/\/(cache|\[::1\]):\d+\/\d$/);
  });

  test("carries any password that is escaped, and shows none", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "grapheme" }), fc.string({ minLength: 1, unit: "grapheme" }), (user, password) => {
        const location = compileLocation(`redis://${encodeURIComponent(user)}:${encodeURIComponent(password)}@cache:7000/1`);
        expect(location.options).toMatchObject({ username: user, password });
        expect(location.display).toBe("redis://cache:7000/1");
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["", "it cannot be parsed"],
    ["cache", "it cannot be parsed"],
    [`:${secret}@cache`, "it cannot be parsed"],
    [`//:${secret}@cache`, "it cannot be parsed"],
    [`redis://:${secret}@cache:99999`, "it cannot be parsed"],
    [`redis://:${secret}@cache:port`, "it cannot be parsed"],
    [`redis://:${secret}@`, "it cannot be parsed"],
    [`http://:${secret}@cache`, 'its scheme is "http://"'],
    ["localhost:6379", 'its scheme is "localhost://"'],
    ["redis:///1", "it names no host"],
    [`redis://ann:${secret}@cache/zero`, "what follows the host is not a database number"],
    ["redis://cache/1/2", "what follows the host is not a database number"],
    ["redis://cache/-1", "what follows the host is not a database number"],
    [`redis://ann:6379/${secret}@cache`, "what follows the host is not a database number"],
  ])("that is none is refused, and not quoted: %s", (url, reason) => {
    expect(refusalOf(url)).toMatchObject({ code: "INVALID_URL", details: { reason } });
  });

  // Of an unescaped # or ? the parser makes something else than a password.
  test.each([
    `redis://ann:12#${secret}@cache/1`,
    `redis://ann:12?${secret}@cache/1`,
    `redis://cache/1?password=${secret}`,
    `redis://cache/1#${secret}`,
  ])("with a query or a fragment is refused: %s", (url) => {
    expect(refusalOf(url)).toMatchObject({ code: "INVALID_URL" });
  });

  test("is read or refused with INVALID_URL, whatever it is, and never shows what it hides", () => {
    const parts = fc.constantFrom("redis://", "rediss://", ":", "@", "/", "%", "%zz", "[", "]", "#", "?", "cache", "7000", "1", " ", "\\");
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), (text) => {
        try {
          compileLocation(text.join(""));
        } catch (error) {
          expect(error).toMatchObject({ code: "INVALID_URL" });
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("options", () => {
  test.each<[RedisLocation, string, string]>([
    [{}, "redis://127.0.0.1:6379/0", "default"],
    [{ host: "cache", port: 7000, db: 2, username: "ann", password: secret }, "redis://cache:7000/2", "ann"],
    [{ host: "::1", tls: {} }, "rediss://[::1]:6379/0", "default"],
    [{ url: `redis://:${secret}@cache:7000/1`, db: 3 }, "redis://cache:7000/3", "default"],
    [{ url: "rediss://cache", tls: { ca: secret } }, "rediss://cache:6379/0", "default"],
    [{ path: "/run/redis.sock", password: secret }, "unix:///run/redis.sock/0", "default"],
    [
      { sentinels: [{ host: "s1", port: 26380 }, { host: "s2" }], name: "mymaster", db: 1, password: secret, sentinelPassword: secret },
      "sentinel://s1:26380,s2:26379/mymaster/1",
      "default",
    ],
  ])("%#: are shown without their secrets", (location, display, user) => {
    const compiled = compileLocation(location);
    expect(compiled).toMatchObject({ display, user });
    const { url: _, ...options } = location as Exclude<RedisLocation, string>;
    expect(compiled.options).toMatchObject(options);
    expect(compiled.options).not.toHaveProperty("url");
  });

  test("beside a URL that is none are refused like it", () => {
    expect(refusalOf({ url: `cache:${secret}`, password: secret })).toMatchObject({ code: "INVALID_URL" });
  });

  test("cannot put a prefix before our keys", () => {
    expect(refusalOf({ keyPrefix: "x:", password: secret })).toMatchObject({ code: "INVALID_OPTION" });
  });
});

describe("two locations", () => {
  const same = (one: RedisLocation, other: RedisLocation) => isSameServer(compileLocation(one), compileLocation(other));
  const sentinels = [{ host: "s1", port: 26380 }];

  test.each<[RedisLocation, RedisLocation]>([
    ["redis://cache", "redis://cache:6379/7"],
    [{}, "redis://127.0.0.1/2"],
    ["redis://ann:one@cache/1", "redis://ann:two@cache/2"],
    ["rediss://cache/1", "rediss://cache/2"],
    [{ path: "/run/redis.sock" }, { path: "/run/redis.sock", db: 1 }],
    [
      { sentinels, name: "mymaster" },
      { sentinels, name: "mymaster", db: 1 },
    ],
  ])("%#: are one server, whatever their databases", (one, other) => {
    expect(same(one, other)).toBe(true);
    expect(same(other, one)).toBe(true);
  });

  test.each<[RedisLocation, RedisLocation]>([
    ["redis://cache", "redis://queue"],
    ["redis://cache", "redis://cache:7000"],
    ["redis://cache", "rediss://cache"],
    ["redis://ann:one@cache", "redis://bob:one@cache"],
    ["redis://cache", { path: "/run/redis.sock" }],
    [
      { sentinels, name: "mymaster" },
      { sentinels, name: "other" },
    ],
    [{ sentinels, name: "mymaster" }, "redis://s1:26380"],
  ])("%#: are not one server, or not one user of it", (one, other) => {
    expect(same(one, other)).toBe(false);
    expect(same(other, one)).toBe(false);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileLocation, isSameServer, type RedisLocation } from "../../src/redis/location.js";

const known = "db, virtual_host, family, tls_ca, tls_insecure, ssl_cert_reqs, ssl_ca_certs, ssl_certfile, ssl_keyfile";
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
    // It may be a password without its colon: nobody shows it.
    ["redis://ann@cache/1", { username: "ann" }, "***"],
    [`redis://ann:${secret}@[::1]:7000/1`, { username: "ann", password: secret, host: "::1" }, "ann"],
    ["redis://:p%40ss%3Aw%2Frd%23%3F%25@cache", { password: "p@ss:w/rd#?%" }, "default"],
    ["redis://:a<b%zz@cache", { password: "a<b%zz" }, "default"],
    ["redis://:100%sure[x]@cache", { password: "100%sure[x]" }, "default"],
    ["redis://:100%25sure%5Bx%5D@cache", { password: "100%sure[x]" }, "default"],
    ["redis://:ä%@cache", { password: "ä%" }, "default"],
    ["redis://:%C3%A4%25@cache", { password: "ä%" }, "default"],
    ["redis://:p@ss@cache", { password: "p@ss" }, "default"],
    // By the standard of URLs it is p#ss.
    ["redis://:p%23ss@cache", { password: "p#ss" }, "default"],
    ["redis://:p%2523ss@cache", { password: "p%23ss" }, "default"],
    ['redis://:a b\\c"d@cache', { password: 'a b\\c"d' }, "default"],
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
    ["", "it does not begin with a scheme such as redis://"],
    ["cache", "it does not begin with a scheme such as redis://"],
    [`:${secret}@cache`, "it does not begin with a scheme such as redis://"],
    [`//:${secret}@cache`, "it does not begin with a scheme such as redis://"],
    [`'redis://:${secret}@cache`, "it does not begin with a scheme such as redis://"],
    ["localhost:6379", "it does not begin with a scheme such as redis://"],
    [`redis://:${secret}@cache:99999`, "its port is not a number from 1 to 65535"],
    [`redis://:${secret}@cache:port`, "its port is not a number from 1 to 65535"],
    [`redis://:${secret}@`, "it names no host"],
    [`redis://:${secret}@ca<che`, "its host is not a host's name"],
    [`redis://:${secret}@[cache]`, "its host is not a host's name"],
    [`http://:${secret}@cache`, 'its scheme is "http://"'],
    ["redis:///1", "it names no host"],
    [`redis://ann:${secret}@cache/zero`, "what follows the host is not a database number"],
    ["redis://cache/1/2", "what follows the host is not a database number"],
    ["redis://cache/-1", "what follows the host is not a database number"],
    [`redis://:${secret}%25%zz@cache`, "the password has a % that begins no escape beside one that does: write % as %25"],
    [`redis://:${secret}%de@cache`, "what is escaped in the password is not UTF-8: write % as %25"],
    [`redis://cache?${secret}`, "a parameter has no value; in a password, ? is written %3F"],
    [`redis://cache?password=${secret}`, `"password" is none of its parameters, which are ${known}`],
    ["redis://cache/0?db=1", "db says something else than what stands before it"],
    ["redis://cache?db=1&virtual_host=2", "virtual_host says something else than what stands before it"],
    ["redis://cache?db=one", "db is not a database number"],
    ["redis://cache?family=5", "family is not one of 0, 4, 6"],
    ["redis://cache?tls_insecure=1", "tls_insecure is for TLS: write rediss:// or valkeys://"],
    ["unix:///run/redis.sock?ssl_cert_reqs=none", "ssl_cert_reqs is for TLS: write rediss:// or valkeys://"],
    ["rediss://cache?tls_insecure=2", "tls_insecure is not one of 1, true, 0, false"],
    ["rediss://cache?tls_insecure=1&ssl_cert_reqs=required", "ssl_cert_reqs says something else than what stands before it"],
    ["rediss://cache?ssl_cert_reqs=maybe", "ssl_cert_reqs is not one of required, optional, none"],
    ["rediss://cache?tls_ca=%zz", "the value of a parameter has a % that begins no escape: write % as %25"],
    ["unix://cache/run/redis.sock", "a unix:// URL names no host: write three slashes, as in unix:///run/redis.sock"],
    ["redis+socket://", "it names no socket file"],
  ])("that is none is refused, and not quoted: %s", (url, reason) => {
    expect(refusalOf(url)).toMatchObject({ code: "INVALID_URL", details: { reason } });
  });

  test.each([
    [`redis://:p/${secret}@cache/1`, "redis://:***@cache/1"],
    [`redis://ann:p#${secret}@cache:7000`, "redis://ann:***@cache:7000"],
    [`rediss://ann:p?${secret}@[::1]:7000/3`, "rediss://ann:***@[::1]:7000/3"],
    [`redis://ann:6379/${secret}@cache`, "redis://ann:***@cache"],
    [`redis://a/nn:${secret}@cache`, "redis://***:***@cache"],
    [`redis://ann:p@/${secret}@cache`, "redis://ann:***@cache"],
    [`unix://ann:p/${secret}@/run/redis.sock`, "unix://ann:***@/run/redis.sock"],
    [`redis://ann:${secret}%25%zz@cache/1`, "redis://ann:***@cache/1"],
  ])("with a password that has to be encoded is refused with its form: %s", (url, form) => {
    const shown = `${form} with the password encoded, as encodeURIComponent() does`;
    expect(refusalOf(url)).toMatchObject({
      code: "INVALID_URL",
      details: { form: shown },
      message: expect.stringContaining(`): write ${shown}`),
    });
  });

  // Which part of it is the password nobody knows.
  test.each([`redis://cache/1?password=${secret}@x`, `redis://cache?token=x@${secret}`, `redis://cache/1#x@${secret}`])(
    "with an @ behind the host is refused without a form: %s",
    (url) => expect((refusalOf(url) as { details: object }).details).not.toHaveProperty("form"),
  );

  test.each<[string, object, string]>([
    ["valkey://cache/2", { host: "cache", port: 6379, db: 2 }, "redis://cache:6379/2"],
    ["valkeys://cache", { host: "cache", port: 6379, db: 0, tls: {} }, "rediss://cache:6379/0"],
    ["unix:///run/redis.sock", { path: "/run/redis.sock", db: 0 }, "unix:///run/redis.sock"],
    ["unix:///run/my%20redis.sock?db=3", { path: "/run/my redis.sock", db: 3 }, "unix:///run/my redis.sock?db=3"],
    ["redis+socket:///run/redis.sock?virtual_host=3", { path: "/run/redis.sock", db: 3 }, "unix:///run/redis.sock?db=3"],
    ["redis+socket:///run/redis.sock?virtual_host=/3", { path: "/run/redis.sock", db: 3 }, "unix:///run/redis.sock?db=3"],
    ["redis://cache?db=3", { host: "cache", port: 6379, db: 3 }, "redis://cache:6379/3"],
    ["redis://cache/3?db=3", { host: "cache", port: 6379, db: 3 }, "redis://cache:6379/3"],
    ["redis://cache?", { host: "cache", port: 6379, db: 0 }, "redis://cache:6379/0"],
    ["redis://cache?family=6", { host: "cache", port: 6379, db: 0, family: 6 }, "redis://cache:6379/0"],
    ["redis://cache/1?family=0&db=1", { host: "cache", port: 6379, db: 1, family: 0 }, "redis://cache:6379/1"],
    ['"redis://cache/1"', { host: "cache", port: 6379, db: 1 }, "redis://cache:6379/1"],
    ["'redis://cache/1'", { host: "cache", port: 6379, db: 1 }, "redis://cache:6379/1"],
    [" redis://cache/1\n", { host: "cache", port: 6379, db: 1 }, "redis://cache:6379/1"],
    ["rediss://cache?ssl_cert_reqs=required", { host: "cache", port: 6379, db: 0, tls: {} }, "rediss://cache:6379/0"],
    ["rediss://cache?ssl_cert_reqs=CERT_OPTIONAL", { host: "cache", port: 6379, db: 0, tls: {} }, "rediss://cache:6379/0"],
    ["rediss://cache?tls_insecure=0", { host: "cache", port: 6379, db: 0, tls: {} }, "rediss://cache:6379/0"],
  ])("as people have it: %s", (url, options, display) => {
    expect(compileLocation(url)).toEqual({ options, display, user: "default" });
  });

  test("names the files of its certificates", () => {
    const folder = mkdtempSync(join(tmpdir(), "bullrush-url-"));
    const files = ["authority", "own", "key"].map((name) => join(folder, name));
    for (const file of files) writeFileSync(file, `text of ${file}`);
    const [ca = "", cert = "", key = ""] = files;
    const textOf = (file: string) => `text of ${file}`;
    const tlsOf = (query: string) => compileLocation(`rediss://cache?${query}`).options.tls;
    try {
      expect(tlsOf(`tls_ca=${ca}`)).toEqual({ ca: textOf(ca) });
      expect(tlsOf(`ssl_ca_certs=${ca}&ssl_certfile=${cert}&ssl_keyfile=${key}`)).toEqual({
        ca: textOf(ca),
        cert: textOf(cert),
        key: textOf(key),
      });
      expect(tlsOf(`ssl_certfile=${cert}`)).toEqual({ cert: textOf(cert), key: textOf(cert) });
      expect(compileLocation({ url: `rediss://cache?tls_ca=${ca}`, tls: { servername: "x" } }).options.tls).toEqual({
        ca: textOf(ca),
        servername: "x",
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(refusalOf(`rediss://cache?tls_ca=${ca}`)).toMatchObject({
      details: { reason: expect.stringContaining("the file of tls_ca cannot be read: ENOENT") },
    });
  });

  test.each<[RedisLocation, boolean]>([
    ["rediss://cache?tls_insecure=1", true],
    ["rediss://cache?tls_insecure=true", true],
    ["rediss://cache?ssl_cert_reqs=none", true],
    ["rediss://cache?ssl_cert_reqs=CERT_NONE", true],
    [{ host: "cache", tls: { rejectUnauthorized: false } }, true],
    ["rediss://cache", false],
    ["redis://cache", false],
    [{ host: "cache", tls: {} }, false],
  ])("%j: whether there is a warning that nobody looks at certificates: %s", (location, warned) => {
    const { warning, options } = compileLocation(location);
    expect(options.tls?.rejectUnauthorized === false).toBe(warned);
    expect(warning).toEqual(warned ? expect.stringContaining("the certificate of rediss://cache:6379/0 is not checked") : undefined);
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
    const parts = fc.constantFrom(
      "redis://",
      "rediss://",
      "unix://",
      "=",
      "&",
      "'",
      "db",
      ":",
      "@",
      "/",
      "%",
      "%zz",
      "[",
      "]",
      "#",
      "?",
      "cache",
      "7000",
      "1",
      " ",
      "\\",
    );
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
    [{ path: "/run/redis.sock", password: secret }, "unix:///run/redis.sock", "default"],
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

  test("may have a function for the password, which is not called before there is a connection", () => {
    const password = () => {
      throw new Error("it was called");
    };
    const { options, password: asked } = compileLocation({ url: `redis://ann:${secret}@cache`, password });
    expect(asked?.last).toBeUndefined();
    expect(options).toEqual({ host: "cache", port: 6379, db: 0, username: "ann" });
  });

  test.each([12, {}, ["x"], true])("with %j for a password are refused", (password) => {
    expect(refusalOf({ host: "cache", password } as unknown as RedisLocation)).toMatchObject({
      code: "INVALID_OPTION",
      message: `password of a Redis is of the type ${typeof password}; expected a string, or a function that gives one`,
    });
  });

  test.each(["url", "host"])("with a %s that is no text are refused", (option) => {
    for (const given of [12, {}, null]) {
      expect(refusalOf({ [option]: given, password: secret } as unknown as RedisLocation)).toMatchObject({
        code: "INVALID_OPTION",
        message: `${option} of a Redis is of the type ${typeof given}; expected a string`,
      });
    }
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

import { describe, expect, it, vi } from "vitest";
import { parseArguments } from "../../src/bin/arguments.js";

function parse(...args: string[]) {
  return parseArguments(["node", "task-worker", ...args], "1.2.3", "task-worker");
}

describe("parseArguments", () => {
  it("leaves out what is not given, but for the level and the capture", () => {
    expect(parse()).toEqual({ loglevel: "info", captureConsole: true });
  });

  it("reads every flag in its long form", () => {
    const flags = [
      ["--app", "tasks.ts:app"],
      ["--queues", "a:3,b"],
      ["--exclude-queues", "c,d"],
      ["--hostname", "one@%h"],
      ["--concurrency", "8"],
      ["--pool", "processes"],
      ["--autoscale", "8,2"],
      ["--max-tasks-per-child", "100"],
      ["--max-memory-per-child", "200mb"],
      ["--time-limit", "30s"],
      ["--soft-time-limit", "20s"],
      ["--lease", "10s"],
      ["--order", "strict"],
      ["--loglevel", "debug"],
      ["--log-format", "json"],
      ["--shutdown-timeout", "2m"],
      ["--broker", "redis://b"],
      ["--result-backend", "redis://r"],
      ["--no-capture-console"],
      ["--purge"],
      ["--yes"],
    ];
    expect(parse(...flags.flat())).toEqual({
      app: "tasks.ts:app",
      queues: ["a:3", "b"],
      excludeQueues: ["c", "d"],
      hostname: "one@%h",
      concurrency: 8,
      pool: "processes",
      autoscale: { max: 8, min: 2 },
      maxTasksPerChild: 100,
      maxMemoryPerChild: "200mb",
      timeLimit: 30_000,
      softTimeLimit: 20_000,
      lease: 10_000,
      order: "strict",
      loglevel: "debug",
      logFormat: "json",
      shutdownTimeout: 120_000,
      broker: "redis://b",
      resultBackend: "redis://r",
      captureConsole: false,
      purge: true,
      yes: true,
    });
  });

  it("reads the short forms", () => {
    expect(parse("-A", "m", "-Q", "a", "-X", "b", "-n", "n", "-c", "2", "-l", "warn", "-b", "redis://b")).toEqual({
      app: "m",
      queues: ["a"],
      excludeQueues: ["b"],
      hostname: "n",
      concurrency: 2,
      loglevel: "warn",
      captureConsole: true,
      broker: "redis://b",
    });
  });

  it.each([
    { text: "a,b,c", names: ["a", "b", "c"] },
    { text: " a , b:2 ", names: ["a", "b:2"] },
    { text: "a b", names: ["a b"] },
    { text: "", names: [""] },
    { text: "a,,b", names: ["a", "", "b"] },
  ])("splits -Q $text at the commas and nowhere else", ({ text, names }) => {
    expect(parse("-Q", text)?.queues).toEqual(names);
    expect(parse("-X", text)?.excludeQueues).toEqual(names);
  });

  it.each(["debug", "info", "warn", "error"])("takes the level %s, also in capitals", (level) => {
    expect(parse("-l", level)?.loglevel).toBe(level);
    expect(parse("-l", level.toUpperCase())?.loglevel).toBe(level);
  });

  it("takes the level that Celery calls WARNING", () => {
    expect(parse("-l", "WARNING")?.loglevel).toBe("warn");
  });

  it.each([
    { text: "500ms", time: 500 },
    { text: "30s", time: 30_000 },
    { text: "0", time: 0 },
  ])("reads --shutdown-timeout $text as $time ms", ({ text, time }) => {
    expect(parse("--shutdown-timeout", text)?.shutdownTimeout).toBe(time);
  });

  it.each(["", "soon", "30", "-1s", "NaN", "Infinity"])("refuses a time of %j", (text) => {
    for (const flag of ["--shutdown-timeout", "--time-limit", "--soft-time-limit", "--lease"]) {
      const error = { code: "INVALID_OPTION", message: expect.stringContaining(`${flag} is ${JSON.stringify(text)}`) as string };
      expect(() => parse(`${flag}=${text}`)).toThrow(expect.objectContaining(error));
    }
  });

  it.each(["0", "-1", "x", "", "1.5", "1e3", "0x10", "99999999999999999999"])("refuses -c %j", (text) => {
    expect(() => parse(`--concurrency=${text}`)).toThrow(
      usage(
        `option '-c, --concurrency <number>' argument '${text}' is invalid. It has to be a whole number from 1. (see task-worker --help)`,
      ),
    );
  });

  it.each([
    { args: ["--nope"], says: "unknown option '--nope' (see task-worker --help)" },
    { args: ["-z"], says: "unknown option '-z' (see task-worker --help)" },
    { args: ["--quues", "a"], says: "unknown option '--quues' (Did you mean --queues?) (see task-worker --help)" },
    { args: ["-A"], says: "option '-A, --app <module[:export]>' argument missing (see task-worker --help)" },
    { args: ["tasks.ts"], says: "too many arguments. Expected 0 arguments but got 1. (see task-worker --help)" },
    { args: ["-l", "loud"], says: "argument 'loud' is invalid. Allowed choices are debug, info, warn, error." },
    { args: ["--order", "random"], says: "argument 'random' is invalid. Allowed choices are round-robin, strict." },
    { args: ["-P", "prefork"], says: "argument 'prefork' is invalid. Allowed choices are inline, threads, processes." },
    {
      args: ["--autoscale", "many"],
      says: "argument 'many' is invalid. It has to be two whole numbers, the most and the least, such as 8,2.",
    },
    { args: ["--autoscale", "8,2,1"], says: "argument '8,2,1' is invalid. It has to be two whole numbers" },
    { args: ["--max-tasks-per-child", "0"], says: "argument '0' is invalid. It has to be a whole number from 1." },
    { args: ["--yes"], says: "--yes is for --purge (see task-worker --help)" },
    { args: ["--log-format", "xml"], says: "argument 'xml' is invalid. Allowed choices are pretty, json." },
  ])("refuses $args on one line", ({ args, says }) => {
    expect(() => parse(...args)).toThrow(usage(says));
    expect(() => parse(...args)).toThrow(expect.objectContaining({ message: expect.not.stringContaining("\n") as string }));
  });

  it.each([
    ["--inspect", true],
    ["--inspect=9300", { host: "127.0.0.1", port: 9300 }],
    ["--inspect=0.0.0.0:9300", { host: "0.0.0.0", port: 9300 }],
    ["--inspect=[::1]:0", { host: "::1", port: 0 }],
    ["--inspect=localhost", { host: "localhost", port: 9229 }],
  ])("reads where debuggers may attach: %s", (flag, inspect) => {
    expect(parse(flag)).toMatchObject({ inspect });
    expect(parse(flag.replace("--inspect", "--inspect-brk"))).toMatchObject({ inspectBrk: inspect });
  });

  it.each([["--inspect=x:y"], ["--inspect=70000"], ["--inspect=a b"], ["--inspect=1", "--inspect-brk=2"]])("refuses %s", (...flags) => {
    expect(() => parse(...flags)).toThrow(usage("--inspect"));
  });

  it.each(["-V", "--version"])("shows the version with %s", (flag) => {
    expect(shownBy(flag)).toBe("1.2.3\n");
  });

  it.each(["-h", "--help"])("shows all flags with %s", (flag) => {
    const text = shownBy(flag);
    for (const name of [
      "-A, --app",
      "-Q, --queues",
      "-X, --exclude-queues",
      "-n, --hostname",
      "-c, --concurrency",
      "-l, --loglevel",
      "-b, --broker",
    ]) {
      expect(text).toContain(`${name} <`);
    }
    for (const name of ["--order", "--log-format", "--shutdown-timeout", "--result-backend", "--purge"])
      expect(text).toContain(`  ${name} `);
  });
});

function usage(says: string): object {
  return expect.objectContaining({ code: "WORKER_USAGE", message: expect.stringContaining(says) as string }) as object;
}

/** What is written to stdout, where nothing is to be run. */
function shownBy(flag: string): string {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    expect(parse(flag)).toBeUndefined();
    return write.mock.calls.map(([text]) => String(text)).join("");
  } finally {
    write.mockRestore();
  }
}

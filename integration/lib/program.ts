import { spawn } from "node:child_process";
import { hangTimeout } from "./hang-timeout.js";
import { withTimeout } from "./with-timeout.js";

export interface ProgramOptions {
  /** A JavaScript file. */
  readonly file: string;
  readonly args?: readonly string[];
  /** Variables to set, or, with `undefined`, to remove. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: this process's. */
  readonly cwd?: string;
}

/** How a process ended: by itself with `code`, or killed by `signal`. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A line of JSON that a process wrote. */
export type Entry = Readonly<Record<string, unknown>>;

/**
 * A process that a test started, with its output. It is killed at the end of `await using`, and of
 * the file.
 */
export interface Program extends AsyncDisposable {
  readonly pid: number;
  /** Lines written to stdout so far. */
  readonly lines: readonly string[];
  /** Lines written to stderr so far. */
  readonly errors: readonly string[];
  /** Those lines of stdout that are JSON objects, parsed. */
  readonly entries: readonly Entry[];
  /** Settles when the process has ended and all its output is here. Never rejects. */
  readonly exit: Promise<Exit>;
  /**
   * The first line on stdout or stderr, earlier ones included, that matches. Throws, with all
   * output, when the process ends without it, or after `deadline` ms; default `hangTimeout`.
   */
  waitFor(pattern: RegExp | string, deadline?: number): Promise<string>;
  /**
   * The first JSON line, earlier ones included, that has these fields: `{ msg: "succeeded", id }`.
   * Throws as `waitFor` does.
   */
  waitForEntry(fields: Entry, deadline?: number): Promise<Entry>;
  /** Sends a signal and does not wait. */
  signal(name: NodeJS.Signals): void;
  /**
   * Sends `signal`, default SIGTERM, and waits for the end. Kills it and throws, with all output,
   * after `deadline` ms; default `hangTimeout`.
   */
  stop(signal?: NodeJS.Signals, deadline?: number): Promise<Exit>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<Exit>;
}

const running = new Set<Program>();

/**
 * Kills the processes that a failed test, or a `beforeAll`, has left. Runs at the end of each test
 * file.
 */
export async function killPrograms(): Promise<void> {
  const left = [...running];
  running.clear();
  await Promise.all(left.map((program) => program.kill()));
}

/**
 * Starts a JavaScript file with this Node. It inherits this process's environment, but no
 * BULLRUSH_* variable.
 */
export function startProgram({ file, args = [], env = {}, cwd }: ProgramOptions): Program {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(BULLRUSH|VITEST|NODE_OPTIONS|NO_COLOR|FORCE_COLOR)/.test(name));
  const child = spawn(process.execPath, [file, ...args], {
    ...(cwd !== undefined && { cwd }),
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const errors: string[] = [];
  const entries: Entry[] = [];
  const looks = new Set<() => void>();
  const look = () => looks.forEach((one) => one());

  collect(child.stdout, (line) => {
    lines.push(line);
    const entry = parse(line);
    if (entry !== undefined) entries.push(entry);
    look();
  });
  collect(child.stderr, (line) => {
    errors.push(line);
    look();
  });

  let ended = false;
  const exit = new Promise<Exit>((resolve) => {
    child.once("error", (error) => errors.push(error.message));
    child.once("close", (code, signal) => {
      ended = true;
      running.delete(program);
      look();
      resolve({ code, signal });
    });
  });

  function output(): string {
    return [`${file} ${args.join(" ")} wrote:`, ...lines, ...errors.map((line) => `stderr: ${line}`)].join("\n  ");
  }

  /** Resolves to the first value of `find` that is not `undefined`. */
  function wait<T>(find: () => T | undefined, what: string, deadline: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(() => reject(new Error(`no ${what} within ${deadline} ms; ${output()}`))), deadline);
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        looks.delete(once);
        settle();
      };
      const once = () => {
        const found = find();
        if (found !== undefined) finish(() => resolve(found));
        else if (ended) finish(() => reject(new Error(`it ended without ${what}; ${output()}`)));
      };
      looks.add(once);
      once();
    });
  }

  async function stop(signal: NodeJS.Signals = "SIGTERM", deadline = hangTimeout): Promise<Exit> {
    child.kill(signal);
    const end = await withTimeout(exit, deadline);
    if (end !== "late") return end;
    child.kill("SIGKILL");
    await exit;
    throw new Error(`it still ran ${deadline} ms after ${signal}; ${output()}`);
  }

  const program: Program = {
    pid: child.pid ?? 0,
    lines,
    errors,
    entries,
    exit,
    waitFor: (pattern, deadline = hangTimeout) =>
      wait(() => [...lines, ...errors].find((line) => matches(line, pattern)), `line with ${String(pattern)}`, deadline),
    waitForEntry: (fields, deadline = hangTimeout) =>
      wait(() => entries.find((entry) => has(entry, fields)), `entry with ${JSON.stringify(fields)}`, deadline),
    signal: (name) => void child.kill(name),
    stop,
    kill: () => stop("SIGKILL"),
    [Symbol.asyncDispose]: async () => void (await stop("SIGKILL")),
  };
  running.add(program);
  return program;
}

/** Whether `entry` has these fields, compared as JSON. */
export function has(entry: Entry, fields: Entry): boolean {
  return Object.entries(fields).every(([name, value]) => JSON.stringify(entry[name]) === JSON.stringify(value));
}

function matches(line: string, pattern: RegExp | string): boolean {
  return typeof pattern === "string" ? line.includes(pattern) : line.search(pattern) >= 0;
}

function collect(stream: NodeJS.ReadableStream, add: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) add(part);
  });
  stream.on("end", () => {
    if (rest !== "") add(rest);
  });
}

function parse(line: string): Entry | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}

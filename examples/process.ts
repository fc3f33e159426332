import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { hangTimeout } from "../integration/lib/hang-timeout.js";

/** A process that was started. */
export interface Started {
  readonly pid: number;
  /**
   * Resolves to the first line, on stdout or stderr, that has all of `words` in it. Rejects when
   * the process ends without it, or has not written it after `hangTimeout`.
   */
  line(...words: readonly string[]): Promise<string>;
  /** All that it wrote to stdout so far. */
  output(): string;
  /** The exit code, once it has ended; `null` if a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Asks it to end with SIGTERM, after `hangTimeout` with SIGKILL; resolves to its exit code. */
  stop(): Promise<number | null>;
  /** Sends a signal. */
  kill(signal: NodeJS.Signals): void;
}

export interface StartOptions {
  /** Where it runs. */
  readonly folder: string;
  /** Added to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Module that this Node imports first, as a URL: a loader. */
  readonly loader?: string;
  /** Called with each line that it writes, stdout or stderr. */
  readonly onLine?: (line: string) => void;
}

/**
 * Runs in the process before its program, and ends it when the pipe from this process closes, so
 * that a SIGKILL of this process leaves none behind. A worker's runners inherit it, and have no
 * such pipe.
 */
const leash = `data:text/javascript,${encodeURIComponent("process.stdin.unref?.().on('end', () => process.exit(1)).resume()")}`;

/** Starts the JavaScript file `program` with this Node. */
export function start(program: string, args: readonly string[], { folder, environment, loader, onLine }: StartOptions): Started {
  const child = spawn(process.execPath, ["--import", leash, ...(loader === undefined ? [] : ["--import", loader]), program, ...args], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: "pipe",
  });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      lines.push(line);
      onLine?.(line);
      for (const listen of listeners) listen();
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", (code) => resolve(code));
  });

  async function line(...words: readonly string[]): Promise<string> {
    const wanted = `"${words.join(" … ")}"`;
    let timer: NodeJS.Timeout | undefined;
    let listen = () => {};
    try {
      return await new Promise<string>((resolve, reject) => {
        listen = () => {
          const found = lines.find((candidate) => words.every((word) => candidate.includes(word)));
          if (found !== undefined) resolve(found);
        };
        listeners.add(listen);
        listen();
        timer = setTimeout(() => reject(new Error(`no line ${wanted} in ${hangTimeout} ms`)), hangTimeout);
        void ended.then((code) => reject(new Error(`it ended (${code}) without a line ${wanted}:\n${lines.join("\n")}`)));
      });
    } finally {
      clearTimeout(timer);
      listeners.delete(listen);
    }
  }

  async function stop(): Promise<number | null> {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), hangTimeout);
    try {
      return await ended;
    } finally {
      clearTimeout(timer);
    }
  }

  return { pid: child.pid ?? 0, line, output: () => output, ended, stop, kill: (signal) => void child.kill(signal) };
}

/**
 * The file of the command `name` of `packageName`, as the module `from`, an `import.meta.url`,
 * resolves it.
 */
export function commandOf(packageName: string, from: string, name = packageName): string {
  const require = createRequire(from);
  const manifest = require.resolve(`${packageName}/package.json`);
  const { bin } = require(manifest) as { readonly bin: string | Readonly<Record<string, string>> };
  return join(dirname(manifest), (typeof bin === "string" ? bin : bin[name]) ?? "");
}

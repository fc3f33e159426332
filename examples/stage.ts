import { constants } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { commandOf, start, type Started } from "./process.js";

const colourful = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
const paint = (code: number) => (text: string) => (colourful ? `\u001B[${code}m${text}\u001B[0m` : text);
const [bold, dim, red] = [paint(1), paint(2), paint(31)];
const colours = [36, 35, 33].map(paint);

export interface StageOptions {
  /**
   * Whether to hide the lines of normal operation: tasks received and succeeded, runners started.
   * Stacks are always hidden. Default: false.
   */
  readonly quiet?: boolean;
}

/** Runs a demo: starts real processes, shows their lines, and leaves none of them running. */
export class Stage {
  readonly #demo: string;
  readonly #hidden: RegExp;
  readonly #processes: Started[] = [];
  readonly #cleanups: (() => Promise<unknown>)[] = [];
  #steps = 0;
  #over = false;

  /** @param demo `import.meta.url` of the demo, in whose folder the processes run */
  constructor(demo: string, { quiet = false }: StageOptions = {}) {
    this.#demo = demo;
    this.#hidden = quiet ? /^ {4}| {2}(received |succeeded |runner started|stopping)/ : /^ {4}| {2}stopping/;
  }

  /**
   * Runs `show`, waits until everything that it started has ended, and ends this process: with 0,
   * with 1 if `show` threw, with 128 + the signal's number after a signal.
   */
  async play(show: () => Promise<void>): Promise<never> {
    const interrupted = new Promise<number>((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.on(signal, () => resolve(128 + constants.signals[signal]));
      }
    });
    const played = show().then(
      () => 0,
      (error: unknown) => {
        if (!this.#over) console.error(`\n${red("Failed:")} ${describe(error)}`);
        return 1;
      },
    );
    const code = await Promise.race([played, interrupted]);
    this.#over = true;
    if (code > 1) console.log("\nInterrupted: stopping everything");
    await Promise.all(this.#processes.map((started) => started.stop()));
    for (const cleanup of this.#cleanups.toReversed()) await cleanup();
    process.exit(code);
  }

  /** Calls `cleanup` at the end, for whatever reason the demo ends, when all processes are gone. */
  atEnd(cleanup: () => Promise<unknown>): void {
    this.#cleanups.push(cleanup);
  }

  /** Begins the next step. */
  step(title: string): void {
    console.log(`\n${bold(`${++this.#steps}. ${title}`)}`);
  }

  say(text: string): void {
    console.log(text.replace(/^(?=.)/gm, "   "));
  }

  /** Runs `task-worker` with `args`; resolves when the worker is ready. */
  async worker(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<Started> {
    return this.#command("task-worker", args, environment);
  }

  /** Runs `task-beat` with `args`; resolves when the beat leads or follows. */
  async beat(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<Started> {
    return this.#command("task-beat", args, environment);
  }

  /**
   * Runs the TypeScript program `file`, and shows its lines as `name`; resolves when it prints that
   * it is ready.
   */
  async program(name: string, file: string, environment: Readonly<Record<string, string>>): Promise<Started> {
    const label = (colours[this.#processes.length % colours.length] ?? dim)(`${name} |`);
    return this.#start(`jiti ${file}`, commandOf("jiti", this.#demo), [file], environment, (line) => `${label} ${line}`);
  }

  /** Resolves when a process has logged that this happened to a task, by the task's name or id. */
  async heard(event: string, task: string): Promise<void> {
    await Promise.any(this.#processes.map((started) => started.line(event, isId(task) ? task.slice(0, 8) : task)));
  }

  /** Shows the command's lines as a terminal would, without its banner. */
  #command(command: string, args: readonly string[], environment: Readonly<Record<string, string>>): Promise<Started> {
    let begun = false;
    const shown = (line: string) => {
      begun ||= aLine.test(line);
      return begun ? line : undefined;
    };
    const asInTerminal = { ...environment, FORCE_COLOR: colourful ? "1" : "0" };
    const program = commandOf("bullrush", this.#demo, command);
    return this.#start([command, ...args].join(" "), program, [...args, "--log-format", "pretty"], asInTerminal, shown);
  }

  async #start(
    title: string,
    program: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    shownAs: (line: string) => string | undefined,
  ): Promise<Started> {
    if (this.#over) throw new Error("the demo is over");
    this.say(dim(`$ ${title}`));
    const started = start(program, args, {
      folder: dirname(fileURLToPath(this.#demo)),
      environment,
      onLine: (text) => {
        const line = shownAs(text);
        if (line !== undefined && !this.#hidden.test(stripVTControlCharacters(line))) this.say(line);
      },
    });
    this.#processes.push(started);
    await started.line("ready");
    return started;
  }
}

/** The beginning of a command's lines: the time, possibly in colour. */
const aLine = /^\P{L}*\d\d:\d\d:\d\d/u;

function isId(text: string): boolean {
  return /^[\da-f]{8}-/.test(text);
}

/** The text of an error; one that says what to do needs no stack. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? error.message : (error.stack ?? error.message);
}

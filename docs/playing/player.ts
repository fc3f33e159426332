import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transformSync } from "rolldown/utils";
import { start, type Started } from "../../examples/process.js";
import { hangTimeout } from "../../integration/lib/hang-timeout.js";
import { claimsOf, fileNameOf, holds, telling, type Step } from "./page.js";

const workerCommand = fileURLToPath(new URL("../../packages/cli/bin/task-worker.js", import.meta.url));

/** The module that `npx tsx` imports, without that command, which would start another process. */
const tsx = pathToFileURL(createRequire(new URL("../../package.json", import.meta.url)).resolve("tsx")).href;

/** Commands that are for the reader's machine. */
const forReaders = /^(npm|npx -y pnpm@[\d.]+|pnpm|git|cd|docker|redis-cli)\b/;

export interface PlayerOptions {
  /** Folder of the page's project. */
  readonly folder: string;
  /** Host and port of the Redis that stands for 127.0.0.1:6379. */
  readonly redis: string;
}

/**
 * Plays a page from top to bottom, as a reader would. A block in `ts` whose first line is
 * `// name.ts` is a file; any other is a program, preceded by the last block with the note
 * `prelude`. In `sh`, `task-worker` (`node_modules/.bin/task-worker`) starts a worker that stays
 * until the end, `npx tsx name.ts` runs a file, `npx tsx --test name.ts`
 * one with tests, and `export` sets variables.
 */
export class Player {
  readonly #folder: string;
  readonly #redis: string;
  readonly #environment: Record<string, string>;
  readonly #files = new Map<string, Step>();
  readonly #programs: Step[] = [];
  readonly #ran = new Set<string>();
  readonly #workers: Started[] = [];
  #prelude = "";

  constructor({ folder, redis }: PlayerOptions) {
    this.#folder = folder;
    this.#redis = redis;
    this.#environment = { BULLRUSH_BROKER_URL: `redis://${redis}/0` };
  }

  /** Throws, naming the line of the page, where something fails or differs from a claim. */
  async play(steps: readonly Step[]): Promise<void> {
    try {
      this.#compile("telling.ts");
      for (const step of steps) {
        if (step.language === "ts") this.#write(step);
        else await this.#commands(step);
      }
      await this.#runPrograms();
      for (const [name, { text, line }] of this.#files) {
        if (claimsOf(text).length > 0 && !this.#ran.has(name)) throw new Error(`line ${line}: ${name} has claims, and nothing runs it`);
      }
    } finally {
      await Promise.all(this.#workers.map((worker) => worker.stop()));
    }
  }

  #write(step: Step): void {
    const name = fileNameOf(step);
    if (step.note === "prelude") {
      this.#prelude = step.text;
    } else if (name === undefined) {
      this.#programs.push(step);
      this.#save(programName(step), `${this.#prelude}${step.text}`);
    } else {
      this.#files.set(name, step);
      this.#save(name, step.text);
    }
  }

  #save(file: string, text: string): void {
    writeFileSync(join(this.#folder, file), this.#localized(telling(text)));
    this.#compile(file);
  }

  /** Puts the JavaScript beside it: a program that compiles its modules itself takes three times as long to start. */
  #compile(file: string): void {
    const path = join(this.#folder, file);
    const { code, errors } = transformSync(
      path,
      readFileSync(path, "utf8").replaceAll(/(from|import\() ?"(\.\/[\w-]+)\.ts"/g, '$1 "$2.js"'),
    );
    if (errors.length > 0) throw new Error(`${file}: ${errors.map(({ message }) => message).join("; ")}`);
    writeFileSync(path.replace(/\.ts$/, ".js"), code);
  }

  /**
   * Replaces the address of Redis by the test's, and the timeout by the tests' own: a busy machine
   * takes longer than a reader's.
   */
  #localized(text: string): string {
    return text.replaceAll("127.0.0.1:6379", this.#redis).replaceAll('timeout: "10s"', `timeout: ${hangTimeout}`);
  }

  async #commands({ text, line }: Step): Promise<void> {
    await this.#runPrograms();
    const workers: Promise<unknown>[] = [];
    for (const written of text.replaceAll("\\\n", " ").split("\n")) {
      const command = this.#localized(written.replace(/(^|\s)#.*$/, "").trim());
      const [, assignments = "", words = ""] = /^((?:export )?(?:[A-Z_]+=\S+\s*)*)(.*)$/.exec(command) ?? [];
      const variables = Object.fromEntries(
        Array.from(assignments.matchAll(/([A-Z_]+)=(\S+)/g), ([, name = "", value = ""]) => [name, value]),
      );
      const [program = "", ...args] = words.replace(/^(npx |node_modules\/\.bin\/)/, "").split(/\s+/);
      if (program === "") Object.assign(this.#environment, variables);
      else if (program === "task-worker") workers.push(this.#work(args, variables));
      else if (program === "tsx" && args[0] === "--test") await this.#runTests(args[1] ?? "", line);
      else if (program === "tsx") await this.#runFile(args[0] ?? "", line);
      else if (!forReaders.test(words)) throw new Error(`line ${line}: "${words}" is a command that is not known here`);
    }
    await Promise.all(workers);
  }

  async #work(args: readonly string[], variables: Readonly<Record<string, string>>): Promise<void> {
    const worker = start(workerCommand, args, { folder: this.#folder, environment: { ...this.#environment, ...variables } });
    this.#workers.push(worker);
    await worker.line(args.includes("--help") ? "Usage:" : '"msg":"ready"');
  }

  async #runFile(file: string, line: number): Promise<void> {
    const step = this.#file(file, line);
    check(step, await this.#run(file, step.line, tsx));
  }

  /** Runs a file of Node's test runner, whose lines are no claims. */
  async #runTests(file: string, line: number): Promise<void> {
    await this.#run(file, this.#file(file, line).line, tsx);
  }

  /** The step that is the file `file`, which runs now. */
  #file(file: string, line: number): Step {
    const step = this.#files.get(file);
    if (step === undefined) throw new Error(`line ${line}: no block is the file ${file}`);
    this.#ran.add(file);
    return step;
  }

  /** Runs the programs since the last commands, one after the other in one process. */
  async #runPrograms(): Promise<void> {
    const programs = this.#programs.splice(0);
    const [first] = programs;
    if (first === undefined) return;
    const file = `from-${programName(first).replace(/ts$/, "js")}`;
    const imports = programs.map(
      (step) => `await import("./${programName(step).replace(/ts$/, "js")}");\nconsole.log(${JSON.stringify(endOfProgram)});\n`,
    );
    writeFileSync(join(this.#folder, file), `${imports.join("")}process.exit();\n`);
    const told = await this.#run(file, first.line);
    for (const step of programs) check(step, told.splice(0, told.indexOf(endOfProgram) + 1).slice(0, -1));
  }

  /** The lines that `file` writes to stdout. */
  async #run(file: string, line: number, loader?: string): Promise<string[]> {
    const all: string[] = [];
    const program = start(file, [], {
      folder: this.#folder,
      environment: this.#environment,
      ...(loader !== undefined && { loader }),
      onLine: (text) => all.push(text),
    });
    const timer = setTimeout(() => void program.stop(), 2 * hangTimeout);
    const code = await program.ended;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`line ${line}: ${file} ended with ${code}\n${all.join("\n")}`);
    return program.output().split("\n").slice(0, -1);
  }
}

const endOfProgram = "— end —";

function programName({ line }: Step): string {
  return `line-${line}.ts`;
}

function check({ text, line }: Step, told: readonly string[]): void {
  const claims = claimsOf(text);
  for (const [index, claim] of claims.entries()) {
    const actual = told[index] ?? "nothing";
    if (!holds(claim.expected, actual)) throw new Error(`line ${line + claim.line} says  ${claim.expected}\nit gives  ${actual}`);
  }
  if (told.length > claims.length) throw new Error(`line ${line}: more lines than claims\n${told.slice(claims.length).join("\n")}`);
}

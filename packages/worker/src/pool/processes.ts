import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readOutput, type Frame } from "../output/frames.js";
import type { Launch } from "./child-handle.js";
import type { DebugPorts } from "./debug-ports.js";
import { isSaid, type FromProcess, type FromRunner } from "./messages.js";

/** How long the pipes of a process that has ended are read on, in ms, if a process of its own holds them open. */
const lastWords = 1000;

/**
 * Starts runners in child processes that begin with `file`. They inherit the environment and Node's flags, and the output, unless that is captured; debuggers' ports of their own come from `ports`: without, none.
 */
export const launchProcess =
  (file: string, ports?: DebugPorts): Launch =>
  (onMessage, captureConsole) => {
    const port = ports?.take();
    const flags = process.execArgv.filter((flag) => !flag.startsWith("--inspect"));
    const execArgv = port === undefined ? flags : [...flags, `--inspect=${port.address}`];
    const output = captureConsole ? "pipe" : "inherit";
    const child = fork(file, captureConsole ? ["capture"] : [], {
      execArgv,
      serialization: "advanced",
      stdio: ["ignore", output, output, "ipc"],
    });
    const order = inOrder(onMessage);
    child.on("message", (message: unknown) => isSaid(message) && order.say(message as FromProcess));
    for (const name of ["stdout", "stderr"] as const) {
      const pipe = child[name];
      if (pipe !== null) readOutput(pipe, name, (frame, isFrame) => order.write(frame, isFrame));
    }
    const exited = new Promise<string>((resolve) => {
      // Of one that could not be started there is no exit.
      child.on("error", (error) => child.pid === undefined && resolve(error.message));
      child.once("exit", (code, signal) => {
        void spoken(child).then(() => {
          order.end();
          resolve(signal ?? `exit code ${code}`);
        });
      });
    });
    void exited.then(() => port?.release());
    const pid = child.pid ?? 0;
    return {
      name: `pool process ${pid}`,
      facts: { pid },
      ...(port !== undefined && { debugger: port.address }),
      send: (message) => void (child.connected && child.send(message, () => {})),
      kill: () => void child.kill("SIGKILL"),
      exited,
    };
  };

/** Resolves when all that a process that has ended had said and written was read. */
async function spoken(child: ChildProcess): Promise<void> {
  const pipes = [child.stdout, child.stderr].filter((pipe) => pipe !== null);
  const read = Promise.all([
    ...(child.connected ? [once(child, "disconnect")] : []),
    ...pipes.map((pipe) => pipe.readableEnded || pipe.destroyed || new Promise((resolve) => pipe.once("close", resolve))),
  ]);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, lastWords);
  });
  await Promise.race([read, late]);
  clearTimeout(timer);
  // Whoever holds a pipe open still may write to it, and does not keep this process.
  for (const pipe of pipes) if ("unref" in pipe && typeof pipe.unref === "function") pipe.unref();
}

/** What a process says and what it writes come by two ways: has what it says wait until what it wrote before has come. */
function inOrder(onMessage: (message: FromRunner) => void) {
  const waiting: FromProcess[] = [];
  let frames = 0;

  function go(): void {
    for (let first = waiting[0]; first !== undefined && first.frames <= frames; first = waiting[0]) {
      waiting.shift();
      onMessage(first.bullrush);
    }
  }

  return {
    say(said: FromProcess): void {
      if (waiting.length === 0 && said.frames <= frames) return onMessage(said.bullrush);
      waiting.push(said);
      go();
    },
    write(frame: Frame, isFrame: boolean): void {
      onMessage(frame);
      if (!isFrame) return;
      frames++;
      go();
    },
    /** Nothing more is written that could be waited for. */
    end(): void {
      frames = Infinity;
      go();
    },
  };
}

import { stripVTControlCharacters } from "node:util";
import { enclosingTask, type TaskContext } from "@bullrush/client";
import { maxOutput, outputOf, type Output } from "./output.js";

type StreamName = Output["stream"];

/** Maximum time to wait for the end of a line, in ms. */
const lineTimeout = 1000;

/**
 * Captures what the code of this process or thread writes to `process.stdout` and `process.stderr`,
 * and so through `console`, and finds its task by the asynchronous context. It does not see native
 * code, or writes to a file descriptor.
 */
export class OutputCapture {
  readonly #emit: (output: Output) => void;
  /** Incomplete lines, by writer. */
  readonly #pending: Record<StreamName, Map<TaskContext | undefined, Buffer>> = { stdout: new Map(), stderr: new Map() };
  #restore: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #telling = false;

  /**
   * @param emit called with each output; what it writes to these streams itself, as some loggers
   * do, is not captured
   */
  constructor(emit: (output: Output) => void) {
    this.#emit = emit;
  }

  start(): void {
    if (this.#restore.length > 0) return;
    this.#restore = [this.#take("stdout"), this.#take("stderr")];
    process.on("exit", this.#flushAll);
  }

  /** Restores the streams. */
  stop(): void {
    process.off("exit", this.#flushAll);
    this.#flushAll();
    for (const restore of this.#restore.splice(0)) restore();
  }

  /** Emits the incomplete line of a task. Call it when the task has ended. */
  flush(context: TaskContext | undefined): void {
    for (const name of ["stdout", "stderr"] as const) {
      const pending = this.#pending[name];
      if (pending.size === 0) continue;
      const bytes = pending.get(context);
      if (pending.delete(context) && bytes !== undefined) this.#emitLines(name, context, bytes.toString());
    }
  }

  /** Redirects the writes of a stream here. Returns the function that undoes it. */
  #take(name: StreamName): () => void {
    const stream = process[name];
    // It is called as a method of the stream.
    const original = Reflect.get(stream, "write");
    let taken = true;
    const write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
      if (!taken || this.#telling) return original.call(stream, chunk, encoding as BufferEncoding, callback as () => void);
      this.#write(name, chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
      const written = typeof encoding === "function" ? encoding : callback;
      if (typeof written === "function") process.nextTick(written);
      return true;
    };
    stream.write = write;
    return () => {
      taken = false;
      // Other code may have replaced it since.
      if (stream.write === write) stream.write = original;
    };
  }

  #write(name: StreamName, chunk: string | Uint8Array, encoding: BufferEncoding): void {
    const context = enclosingTask();
    const pending = this.#pending[name];
    const before = pending.get(context);
    const isText = typeof chunk === "string" && (encoding === "utf8" || encoding === "utf-8");
    if (before === undefined && isText && chunk.endsWith("\n")) return this.#emitLines(name, context, chunk.slice(0, -1));
    const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding) : Buffer.from(chunk);
    const all = before === undefined ? bytes : Buffer.concat([before, bytes]);
    // A complete line ends with a complete character.
    const end = all.lastIndexOf(10);
    const rest = all.subarray(end + 1);
    if (end >= 0) this.#emitLines(name, context, all.toString("utf8", 0, end));
    if (rest.length > 0 && rest.length < maxOutput) {
      pending.set(context, Buffer.from(rest));
      this.#timer ??= setTimeout(this.#flushAll, lineTimeout).unref();
      return;
    }
    pending.delete(context);
    if (rest.length > 0) this.#emitLines(name, context, rest.toString());
  }

  readonly #flushAll = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const context of [...this.#pending.stdout.keys(), ...this.#pending.stderr.keys()]) this.flush(context);
  };

  /** Removes colours, which are for a terminal. An empty line is not emitted. */
  #emitLines(name: StreamName, context: TaskContext | undefined, text: string): void {
    const output = outputOf(name, text, context && { task: context.name, id: context.id });
    const uncoloured = stripVTControlCharacters(output.text);
    if (uncoloured.trim() === "") return;
    this.#telling = true;
    try {
      this.#emit({ ...output, text: uncoloured });
    } finally {
      this.#telling = false;
    }
  }
}

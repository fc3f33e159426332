import { writeSync } from "node:fs";
import type { Readable } from "node:stream";
import { outputOf, type Output } from "@bullrush/program";
import type { FromRunner } from "../pool/messages.js";

/** What a child tells on its stdout: what was written there, and lines of its log, in their order. */
export type Frame = Extract<FromRunner, { readonly type: "output" | "log" }>;

/** What the frames of a child begin with, on its stdout: all else is of code that writes past Node's streams. */
const mark = "\u001E";

/** Longest line of a log that fits into a frame, in characters. */
export const longestFramed = 40_000;

/** Longest line that is read as it is, in bytes: a frame is at most six times the text in it. */
const longestLine = 512 * 1024;

/** Writes `frame` to the pipe at `descriptor`, and waits for a reader that is slower: it has arrived even if this process ends now. Does nothing once nobody reads. */
export function writeFrame(descriptor: number, frame: Frame): void {
  let bytes = Buffer.from(`${mark}${JSON.stringify(frame)}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(descriptor, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

/**
 * Reads the output of a child from one of its pipes: frames, and lines that code wrote past Node's streams. `isFrame`: whether it was one, also one that such code wrote into; so they can be counted.
 */
export function readOutput(pipe: Readable, stream: Output["stream"], hear: (frame: Frame, isFrame: boolean) => void): void {
  readLines(pipe, (line) => {
    // In JSON the mark is escaped: wherever it stands, a frame begins, be it behind a line without its end.
    const [before = "", ...frames] = line.split(mark);
    if (before.trim() !== "") hear(written(stream, before), false);
    for (const frame of frames) {
      // Others write this character, too: what is no object is no frame, nor one that was written into.
      const isFrame = frame.startsWith("{");
      if (isFrame || frame.trim() !== "") hear((isFrame && frameIn(frame)) || written(stream, frame), isFrame);
    }
  });
}

/** Tells each line of a pipe. Of a long one, which may have no end, only pieces are kept. */
function readLines(pipe: Readable, tell: (line: string) => void): void {
  let rest = Buffer.alloc(0);
  pipe.on("data", (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      tell(Buffer.concat([rest, chunk.subarray(from, end)]).toString());
      rest = Buffer.alloc(0);
      from = end + 1;
    }
    rest = Buffer.concat([rest, chunk.subarray(from)]);
    if (rest.length < longestLine) return;
    tell(rest.toString());
    rest = Buffer.alloc(0);
  });
  pipe.on("end", () => rest.length > 0 && tell(rest.toString()));
  // Its other side is gone.
  pipe.on("error", () => {});
}

function written(stream: Output["stream"], text: string): Frame {
  return { type: "output", ...outputOf(stream, text) };
}

/** Whoever writes to the pipe can write this too: what does not fit is no frame. */
function frameIn(text: string): Frame | undefined {
  try {
    const { type, line, stream, text: said, cut, task, id } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (type === "log" && typeof line === "string") return isRecord(JSON.parse(line)) ? { type, line } : undefined;
    if (type !== "output" || (stream !== "stdout" && stream !== "stderr") || typeof said !== "string") return undefined;
    const named = typeof task === "string" && typeof id === "string" && { task, id };
    return { ...written(stream, said), ...(typeof cut === "number" && { cut }), ...named };
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

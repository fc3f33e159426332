import { afterEach, expect, test } from "vitest";
import { OutputCapture } from "../../src/output/output-capture.js";

const captures: OutputCapture[] = [];
const { write } = process.stdout;

afterEach(() => {
  for (const capture of captures.splice(0)) capture.stop();
  process.stdout.write = write;
});

/** Takes the place of stdout itself, and keeps what comes there. */
function stdout(): readonly string[] {
  const written: string[] = [];
  process.stdout.write = (chunk: string | Uint8Array) => {
    written.push(String(chunk));
    return true;
  };
  return written;
}

test("logger that writes to stdout: writes there, each line once", () => {
  const written = stdout();
  const capture = new OutputCapture(({ text }) => process.stdout.write(`line: ${text}\n`));
  captures.push(capture);
  capture.start();
  process.stdout.write("one\n");
  process.stderr.write("two\n");
  capture.stop();
  process.stdout.write("three\n");
  expect(written).toEqual(["line: one\n", "line: two\n", "three\n"]);
});

test("sink that throws: later output is still captured", () => {
  const written = stdout();
  const told: string[] = [];
  const capture = new OutputCapture(({ text }) => {
    if (text === "one") throw new Error("no room");
    told.push(text);
  });
  captures.push(capture);
  capture.start();
  expect(() => process.stdout.write("one\n")).toThrow("no room");
  process.stdout.write("two\n");
  expect(told).toEqual(["two"]);
  expect(written).toEqual([]);
});

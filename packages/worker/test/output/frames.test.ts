import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { expect, test } from "vitest";
import { readOutput } from "../../src/output/frames.js";

/** What is heard of a pipe with this text: texts, and how many of them were frames. */
async function heard(text: string) {
  const pipe = new PassThrough();
  const texts: string[] = [];
  let frames = 0;
  readOutput(pipe, "stdout", (frame, isFrame) => {
    texts.push(frame.type === "output" ? frame.text : frame.line);
    if (isFrame) frames++;
  });
  pipe.end(text);
  await finished(pipe);
  return { texts, frames };
}

const frame = (text: string) => `\u001E${JSON.stringify({ type: "output", stream: "stdout", text })}\n`;

test("frames are told, also one that others wrote into, and count", async () => {
  expect(await heard(`${frame("one")}past${frame("two")}`)).toEqual({ texts: ["one", "past", "two"], frames: 2 });
  const broken = frame("three").replace("three", "th\nree");
  expect(await heard(broken)).toMatchObject({ frames: 1 });
});

test("the character that begins a frame begins none where no object follows: what others write is told, and does not count", async () => {
  expect(await heard(`${"\u001E".repeat(1000)}\n${frame("one")}`)).toEqual({ texts: ["one"], frames: 1 });
  expect(await heard(`\u001Ea\u001E b\n${frame("one")}`)).toEqual({ texts: ["a", " b", "one"], frames: 1 });
});

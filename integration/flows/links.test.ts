import { readFileSync } from "node:fs";
import { chain, chord, group, type AsyncResult, type GroupResult, type FailureInfo } from "@bullrush/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";
import { partsOf, rows } from "./link-rows.js";
import { openStage } from "./stage.js";

describe("links of canvases, compared with Celery", () => {
  const stage = openStage();
  const { app } = stage;
  const notes = rows.map((): string[] => []);

  beforeAll(async () => {
    app.task("ok", (..._: unknown[]) => 1);
    app.task("sum", (..._: unknown[]) => 1);
    const failing = (name: string) =>
      app.task(name, (..._: unknown[]): number => {
        throw new RangeError(name);
      });
    const no = failing("no");
    const nay = failing("nay");
    app.task("swap", function (..._: unknown[]): number {
      return this.replace(chain(app.stub("ok").s(), nay.si(), app.signature<number>("ok")));
    });
    app.task("swapChord", function (..._: unknown[]): number {
      return this.replace(chord(group(no.si()), app.signature<number>("sum")));
    });
    app.task("note", (...args: unknown[]) => {
      const [label, row] = [args.pop() as string, args.pop() as number];
      const told = args[0] as Partial<FailureInfo> | number | undefined;
      notes[row]?.push(typeof told === "object" ? `${label}:${told.task}` : label);
      return 1;
    });
    await stage.work({ concurrency: 20 });
    await Promise.all(
      rows.map(async ({ canvas, options, revoke }, index) => {
        const parts = partsOf(app, index);
        const result = await (options === undefined ? canvas(parts).delay() : canvas(parts).applyAsync(options(parts)));
        if (revoke === "all") await result.revoke();
        if (revoke === "first") await result.parent?.revoke();
        await result.get({ timeout: hangTimeout }).catch(() => undefined);
      }),
    );
    await stage.over();
  });

  afterAll(() => stage[Symbol.asyncDispose]());

  test.each(rows.map((row, index) => [row.name, row, index] as const))("%s", (_, { noted }, index) => {
    expect(notes[index]?.toSorted()).toEqual(noted);
  });

  test("differences from Celery: listed in the guide", () => {
    const guide = readFileSync(new URL("../../docs/guide/canvas.md", import.meta.url), "utf8");
    const differences = new Set(rows.map(({ celery }) => celery).filter((celery) => celery !== "same"));
    for (const difference of differences) expect(guide).toContain(difference);
  });
});

describe("failed header of a chord: what its error links get", () => {
  test("the id of the body, whose handle the caller has, and the failure of the group", async () => {
    await using stage = openStage();
    const { app } = stage;
    const failureInfos: FailureInfo[] = [];
    app.task("no", (): number => {
      throw new RangeError("no");
    });
    app.task("sum", (all: readonly number[]) => all.length);
    app.task("tell", (failureInfo: FailureInfo) => void failureInfos.push(failureInfo));
    await stage.work();
    const body = app.stub("sum").s();
    const result = await chord([app.signature("no")], body)
      .onError(app.stub("tell").s())
      .delay();
    await stage.over();
    expect(failureInfos).toMatchObject([
      { id: result.id, task: "sum", state: "FAILURE", failure: { name: "ChordError", code: "CHORD_FAILED" } },
    ]);
    const { id } = (result as AsyncResult).parent as GroupResult;
    await expect(result.get()).rejects.toThrow(`group[${id}] failed: ChordError`);
  });
});

import { deepEqual, ok } from "node:assert/strict";
import type { AsyncResult } from "bullrush";
import type { Stage } from "../stage.js";

/**
 * Makes the same calls in another way, and shows the time taken and saved. Throws unless the values
 * are equal and come sooner.
 */
export type Compare<Value> = (habit: string, ours: string, work: () => Promise<readonly Value[]>) => Promise<void>;

/**
 * Makes the calls one after the other: sends one, waits for its value, sends the next. Returns a
 * function that compares other ways with that.
 */
export async function oneByOne<Value>(stage: Stage, calls: readonly (() => Promise<AsyncResult<Value>>)[]): Promise<Compare<Value>> {
  const alone = await clock(async () => {
    const values: Value[] = [];
    for (const call of calls) values.push(await (await call()).get({ timeout: "10s" }));
    return values;
  });
  stage.say(`${row("for … of", "delay(), get()")} ${seconds(alone.ms)} one after the other`);
  return async (habit, ours, work) => {
    const { value, ms } = await clock(work);
    stage.say(`${row(habit, ours)} ${seconds(ms)} instead of ${seconds(alone.ms)}, saved ${seconds(alone.ms - ms)}`);
    deepEqual(value, alone.value, `${habit} should come to the same`);
    ok(ms < alone.ms, `${habit} should save time`);
  };
}

/** The value of `work`, and how long `work` takes, in ms. */
export async function clock<Value>(work: () => Promise<Value>): Promise<{ readonly value: Value; readonly ms: number }> {
  const began = performance.now();
  const value = await work();
  return { value, ms: performance.now() - began };
}

export function row(habit: string, ours: string): string {
  return `${habit.padEnd(22)} ${ours.padEnd(28)}`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

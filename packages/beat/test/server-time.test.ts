import { describe, expect, it } from "vitest";
import { ServerTime } from "../src/server-time.js";

function clock() {
  let time = 1000;
  return { now: () => time, pass: (ms: number) => (time += ms) };
}

describe("ServerTime", () => {
  it("answer: half its way old, and time continues from there", () => {
    const steady = clock();
    const server = new ServerTime(steady);
    expect(server.now()).toBe(0);
    const asked = steady.now();
    steady.pass(10);
    expect(server.update(50_000, asked)).toBe(0);
    expect(server.now()).toBe(50_005);
    steady.pass(100);
    expect(server.now()).toBe(50_105);
  });

  it.each([
    ["forwards", 60_000],
    ["backwards", -60_000],
  ])("jump %s: reported, and time continues from there", (_, jump) => {
    const steady = clock();
    const server = new ServerTime(steady);
    server.update(500_000, steady.now());
    steady.pass(1000);
    expect(server.update(501_000 + jump, steady.now())).toBe(jump);
    expect(server.now()).toBe(501_000 + jump);
  });

  it("slow answer: no jump", () => {
    const steady = clock();
    const server = new ServerTime(steady);
    server.update(500_000, steady.now());
    const asked = steady.now();
    steady.pass(4000);
    expect(Math.abs(server.update(500_010, asked))).toBe(0);
    expect(Math.abs(server.update(504_000, steady.now()))).toBeLessThanOrEqual(2000);
  });

  it("jump forward: kept until the clock goes back; a slow drift is no jump", () => {
    const steady = clock();
    const server = new ServerTime(steady);
    server.update(500_000, steady.now());
    server.update(560_000, steady.now());
    expect(server.jump).toEqual({ from: 500_000, to: 560_000 });
    server.update(500_000, steady.now());
    expect(server.jump).toBeUndefined();
    steady.pass(3_600_000);
    expect(server.update(4_110_000, steady.now())).toBe(0);
    expect([server.jump, server.now()]).toEqual([undefined, 4_110_000]);
  });
});

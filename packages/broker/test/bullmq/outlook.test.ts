import { describe, expect, test } from "vitest";
import { Outlook } from "../../src/bullmq/outlook.js";

const now = 1_000_000;
const dry = { limited: 0, due: 0 };

describe("what a worker expects of its queues", () => {
  test("at first, everything", () => {
    const outlook = new Outlook(2);
    expect([outlook.mayTake(now), outlook.mayHold(0, now), outlook.mayHold(1, now)]).toEqual([true, true, true]);
  });

  test("of one that gave, more; of one that ran dry, nothing for a while", () => {
    const outlook = new Outlook(2);
    outlook.ranDry(0, now, dry);
    outlook.ranDry(1, now, dry);
    expect(outlook.mayTake(now)).toBe(false);
    expect(outlook.nextLook(now)).toBeGreaterThan(now + 1000);
    outlook.gave(1);
    expect([outlook.mayHold(0, now), outlook.mayHold(1, now), outlook.mayTake(now)]).toEqual([false, true, true]);
  });

  test("of one whose limit ends or whose next message is due, something then", () => {
    const outlook = new Outlook(2);
    outlook.ranDry(0, now, { limited: 300, due: 0 });
    outlook.ranDry(1, now, { limited: 0, due: now + 200 });
    expect(outlook.nextLook(now)).toBe(now + 200);
    expect([outlook.mayHold(0, now + 299), outlook.mayHold(0, now + 300)]).toEqual([false, true]);
    expect([outlook.mayHold(1, now + 199), outlook.mayHold(1, now + 200)]).toEqual([false, true]);
  });

  test("of one that rang, something at the time that it rang for, and no later than before", () => {
    const outlook = new Outlook(1);
    outlook.ranDry(0, now, { limited: 0, due: now + 500 });
    outlook.rang(0, now + 5000);
    expect(outlook.nextLook(now)).toBe(now + 500);
    outlook.rang(0, now + 100);
    expect(outlook.nextLook(now)).toBe(now + 100);
    outlook.rang(0, 0);
    expect(outlook.mayTake(now)).toBe(true);
  });

  test("of one that rang while a call was under way, what the ring says, and not what the call did not find", () => {
    const outlook = new Outlook(2);
    outlook.rang(0, now);
    const before = outlook.rings;
    expect([outlook.rangSince(0, before), outlook.rangSince(1, before)]).toEqual([false, false]);
    outlook.rang(1, now);
    expect([outlook.rangSince(0, before), outlook.rangSince(1, before)]).toEqual([false, true]);
  });

  test("of one that rests, nothing until its rest is over", () => {
    const outlook = new Outlook(2);
    outlook.ranDry(1, now, dry);
    outlook.rest(0, now + 400);
    expect([outlook.isResting(0, now), outlook.isResting(1, now), outlook.mayTake(now)]).toEqual([true, false, false]);
    outlook.rang(0, 0);
    expect(outlook.mayTake(now + 399)).toBe(false);
    expect([outlook.nextLook(now), outlook.mayTake(now + 400), outlook.isResting(0, now + 400)]).toEqual([now + 400, true, false]);
  });

  test("of one that is to rest twice, nothing until the longer rest is over", () => {
    const outlook = new Outlook(1);
    outlook.rest(0, now + 400);
    outlook.rest(0, now + 100);
    expect([outlook.isResting(0, now + 399), outlook.nextLook(now)]).toEqual([true, now + 400]);
    outlook.rest(0, now + 500);
    expect(outlook.nextLook(now)).toBe(now + 500);
  });
});

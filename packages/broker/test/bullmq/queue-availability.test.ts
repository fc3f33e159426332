import { describe, expect, test } from "vitest";
import { QueueAvailability, type Found } from "../../src/bullmq/queue-availability.js";

const now = 1_000_000;
const none: Found = { gave: [], dry: [], broken: false };

/** Looks into `queues` and is answered at once. */
function look(availability: QueueAvailability, queues: readonly number[], found: Partial<Found>, at = now): void {
  availability.answered(availability.look(queues), at, { ...none, ...found });
}

/** One that knows that its queues are empty. */
function empty(queues: number): QueueAvailability {
  const availability = new QueueAvailability(queues);
  const all = Array.from({ length: queues }, (_, queue) => queue);
  look(availability, all, { dry: all.map((queue) => ({ queue })) });
  return availability;
}

describe("what a worker knows of its queues", () => {
  test("at first: all may hold something", () => {
    const availability = new QueueAvailability(2);
    expect([availability.hasWork(now), availability.mayHold(0, now), availability.mayHold(1, now)]).toEqual([true, true, true]);
  });

  test("one that gave may hold more, one that ran dry holds nothing for a while", () => {
    const availability = empty(2);
    expect(availability.hasWork(now)).toBe(false);
    expect(availability.nextLookAt()).toBeGreaterThan(now + 1000);
    look(availability, [1], { gave: [1] });
    expect([availability.mayHold(0, now), availability.mayHold(1, now), availability.hasWork(now)]).toEqual([false, true, true]);
  });

  test("one whose limit ends or whose next message is due may hold something then", () => {
    const availability = new QueueAvailability(2);
    look(availability, [0, 1], {
      dry: [
        { queue: 0, limited: 300, due: 0 },
        { queue: 1, limited: 0, due: now + 200 },
      ],
    });
    expect(availability.nextLookAt()).toBe(now + 200);
    expect([availability.mayHold(0, now + 299), availability.mayHold(0, now + 300)]).toEqual([false, true]);
    expect([availability.mayHold(1, now + 199), availability.mayHold(1, now + 200)]).toEqual([false, true]);
  });

  test("one whose marker was heard may hold something at its time, and no later than before", () => {
    const availability = new QueueAvailability(1);
    look(availability, [0], { dry: [{ queue: 0, due: now + 500 }] });
    availability.heard({ queue: 0, kind: "later", due: now + 5000 });
    expect(availability.nextLookAt()).toBe(now + 500);
    availability.heard({ queue: 0, kind: "later", due: now + 100 });
    expect(availability.nextLookAt()).toBe(now + 100);
    availability.heard({ queue: 0, kind: "now", due: 0 });
    expect(availability.hasWork(now)).toBe(true);
  });

  test("none is asked again at once when a look was broken off", () => {
    const availability = new QueueAvailability(2);
    look(availability, [0], { broken: true });
    expect([availability.hasWork(now), availability.hasWork(now + 5000)]).toEqual([false, true]);
  });

  describe("a marker heard while a look is under way", () => {
    test("stands, though the look found nothing", () => {
      const availability = empty(2);
      const sent = availability.look([0, 1]);
      availability.heard({ queue: 1, kind: "now", due: 0 });
      availability.answered(sent, now, { ...none, dry: [{ queue: 0 }, { queue: 1 }] });
      expect([availability.mayHold(0, now), availability.mayHold(1, now)]).toEqual([false, true]);
    });

    test("does not hide that a message is due before the time that it speaks of", () => {
      const availability = empty(1);
      const sent = availability.look([0]);
      availability.heard({ queue: 0, kind: "later", due: now + 900 });
      availability.answered(sent, now, { ...none, dry: [{ queue: 0, due: now + 100 }] });
      expect(availability.nextLookAt()).toBe(now + 100);
      expect(availability.release()).toEqual([{ queue: 0, kind: "later", due: now + 100 }]);
    });

    test("is still owed to the others, though the look gave something", () => {
      const availability = empty(1);
      const sent = availability.look([0]);
      availability.heard({ queue: 0, kind: "now", due: 0 });
      availability.answered(sent, now, { ...none, gave: [0] });
      expect(availability.release()).toEqual([{ queue: 0, kind: "now", due: 0 }]);
    });
  });

  describe("what is owed to the others", () => {
    test("a marker that was heard, once", () => {
      const availability = empty(2);
      availability.heard({ queue: 1, kind: "now", due: 0 });
      expect(availability.release()).toEqual([{ queue: 1, kind: "now", due: 0 }]);
      expect(availability.release()).toEqual([]);
    });

    test("nothing of one that was answered", () => {
      const availability = empty(2);
      for (const queue of [0, 1]) availability.heard({ queue, kind: "now", due: 0 });
      look(availability, [0, 1], { gave: [0], dry: [{ queue: 1 }] });
      expect(availability.release()).toEqual([]);
    });

    test("a marker of a later time until a look says what is due next", () => {
      const availability = empty(1);
      availability.heard({ queue: 0, kind: "later", due: now - 1 });
      look(availability, [0], { gave: [0] });
      availability.heard({ queue: 0, kind: "now", due: 0 });
      look(availability, [0], { gave: [0] });
      expect(availability.release()).toEqual([{ queue: 0, kind: "later", due: now - 1 }]);
      availability.heard({ queue: 0, kind: "later", due: now - 1 });
      look(availability, [0], { dry: [{ queue: 0, due: now + 70 }] });
      expect(availability.release()).toEqual([{ queue: 0, kind: "later", due: now + 70 }]);
    });

    test("that a rate limit holds messages back", () => {
      const availability = empty(1);
      availability.heard({ queue: 0, kind: "now", due: 0 });
      look(availability, [0], { dry: [{ queue: 0, limited: 500, heldBack: true }] });
      expect(availability.release()).toEqual([{ queue: 0, kind: "now", due: 0 }]);
    });

    test("what could not be handed to them", () => {
      const availability = empty(1);
      availability.heard({ queue: 0, kind: "later", due: now + 70 });
      const markers = availability.release();
      availability.heard({ queue: 0, kind: "later", due: now + 90 });
      availability.keep(markers);
      expect(availability.release()).toEqual(markers);
    });
  });

  describe("a look whose answer was lost", () => {
    test("puts the queues that it asked in doubt, and no others", () => {
      const availability = empty(2);
      availability.lost(availability.look([1]));
      expect([availability.mayHold(0, now), availability.mayHold(1, now)]).toEqual([false, true]);
      expect(availability.release()).toMatchObject([
        { queue: 1, kind: "now" },
        { queue: 1, kind: "later" },
      ]);
    });

    test("outweighs the answer to an earlier one", () => {
      const availability = empty(1);
      const [first, second] = [availability.look([0]), availability.look([0])];
      availability.lost(second);
      availability.answered(first, now, { ...none, dry: [{ queue: 0 }] });
      expect(availability.hasWork(now)).toBe(true);
    });
  });

  describe("one that rests", () => {
    test("holds nothing until its rest is over, and may hold something then", () => {
      const availability = empty(2);
      availability.backOff(0, now + 400);
      expect([availability.isBackedOff(0, now), availability.isBackedOff(1, now), availability.hasWork(now)]).toEqual([true, false, false]);
      expect(availability.resting(now)).toEqual([0]);
      availability.heard({ queue: 0, kind: "now", due: 0 });
      expect(availability.hasWork(now + 399)).toBe(false);
      expect([availability.nextLookAt(), availability.hasWork(now + 400), availability.isBackedOff(0, now + 400)]).toEqual([
        now + 400,
        true,
        false,
      ]);
    });

    test("is looked into when its rest is over, though a look into it was answered meanwhile", () => {
      const availability = empty(1);
      const sent = availability.look([0]);
      availability.backOff(0, now + 400);
      availability.answered(sent, now, { ...none, dry: [{ queue: 0 }] });
      expect(availability.nextLookAt()).toBe(now + 400);
    });

    test("rests until the longer of two rests is over", () => {
      const availability = empty(1);
      availability.backOff(0, now + 400);
      availability.backOff(0, now + 100);
      expect([availability.isBackedOff(0, now + 399), availability.nextLookAt()]).toEqual([true, now + 400]);
      availability.backOff(0, now + 500);
      expect(availability.nextLookAt()).toBe(now + 500);
    });
  });
});

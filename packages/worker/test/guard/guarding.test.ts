import type { GuardedLoans, LetGo, Loan } from "@bullrush/broker/guard";
import { describe, expect, test } from "vitest";
import { Guarding } from "../../src/guard/guarding.js";
import { HeldRows } from "../../src/guard/held-rows.js";
import type { FromGuard, Watched } from "../../src/guard/messages.js";
import { latest, memoryOf, take } from "../../src/guard/shared.js";
import { takeSlots } from "../../src/guard/take-slots.js";

/** Long enough that the guard does not connect ahead, in ms. */
const lease = 12_000;

/** What the guard of a worker does while time passes and the event loop turns or stands still. */
function stage({ isDebugged = false, ...given }: Partial<Watched> & { readonly isDebugged?: boolean } = {}) {
  let now = 1;
  let beats = 0;
  let beatAt = 0;
  let broken = false;
  let failing = false;
  let onLetGo = () => {};
  const did: string[] = [];
  const letGone: LetGo[] = [];
  const said: FromGuard[] = [];
  const lines: string[] = [];
  let terminated: readonly string[] = [];
  const loans: GuardedLoans = {
    open: async () => {},
    renew: async (held: readonly Loan[]) => {
      did.push(`renew ${held.map(({ id }) => id).join(" ")}`);
      return held.filter(({ id }) => terminated.includes(id));
    },
    giveBack: async (tokens) => {
      if (failing) throw new Error("no broker");
      if (tokens.length > 0) did.push(`give back ${tokens.join(" ")}`);
    },
    letGo: async (held) => {
      onLetGo();
      if (broken) throw new Error("no broker");
      letGone.push(...held);
    },
    close: () => void did.push("close"),
  };
  const guarding = new Guarding({
    beats: () => beats,
    beatAt: () => beatAt,
    isDebugged: () => isDebugged,
    now: () => now,
    openLoans: async () => loans,
    say: (message) => said.push(message),
    prepare: async () => (level, facts, text) => void lines.push(`${level}: ${text} ${JSON.stringify(facts)}`),
    kill: () => void did.push("kill"),
  });
  const takes = memoryOf(new SharedArrayBuffer(take.size * take.slots));
  const begunLast = memoryOf(new SharedArrayBuffer(latest.size));
  const watched: Watched = {
    loans: { location: {}, rotates: false, prefixes: ["bull:a:"], lease, worker: "w1" },
    takes: takes.shared,
    latest: begunLast.shared,
    blockedLimit: 600_000,
    endsProcess: true,
    format: "json",
    ...given,
  };
  guarding.onMessage({ type: "watch", worker: 1, watched });
  guarding.onMessage({ type: "task", worker: 1, name: "add" });
  const rows = new HeldRows((block) => guarding.onMessage({ type: "rows", worker: 1, block }));
  const slots = takeSlots(takes);
  const hold = (id: string) => rows.hold({ queue: 0, task: 0, id, token: `token of ${id}`, heldAt: now });
  /** The event loop beats, and goes on to the function of this row. */
  const begin = (number: number, isOnce = false) => {
    rows.begin(number, isOnce);
    beatAt = now;
    begunLast.numbers[latest.row] = number;
    begunLast.times[latest.begunAt] = now;
  };
  /** `ms` pass, and what the guard begins meanwhile comes to its end. */
  async function pass(ms: number, { turns = false } = {}): Promise<void> {
    for (const end = now + ms; now < end;) {
      now += guarding.interval;
      if (turns) {
        beats++;
        beatAt = now;
      }
      guarding.look();
      await new Promise(setImmediate);
    }
  }
  return {
    ...{ guarding, rows, slots, hold, begin, pass, did, letGone, said, lines },
    skip: (ms: number) => void (now += ms),
    terminate: (...ids: string[]) => void (terminated = ids),
    breakDown: (is: boolean) => void (broken = is),
    failToGiveBack: (is: boolean) => void (failing = is),
    /** The event loop goes on while the guard lets go. */
    turnAtLetGo: () => void (onLetGo = () => void beats++),
    now: () => now,
  };
}

describe("a guard", () => {
  test("does nothing while the event loop turns", async () => {
    const { hold, pass, did } = stage();
    hold("a");
    await pass(10 * lease, { turns: true });
    expect(did).toEqual([]);
  });

  test("renews the leases of what is held while the loop stands still, several times a lease, and rests once it turns", async () => {
    const { hold, rows, pass, did } = stage();
    const first = hold("a");
    hold("b");
    await pass(lease / 4);
    expect(did).toEqual(["renew a b"]);
    await pass(lease);
    expect(did.length).toBeGreaterThanOrEqual(3);
    rows.release(first);
    await pass(lease / 2);
    expect(did.at(-1)).toBe("renew b");
    await pass(lease, { turns: true });
    expect(did.at(-1)).toBe("close");
  });

  test("gives back what calls took whose replies nobody reads, until somebody has", async () => {
    const { slots, pass, did } = stage();
    const call = slots.begun("abc:1:0");
    await pass(lease);
    // Redis may come to the call only after the first time.
    expect(new Set(did.filter((deed) => deed.startsWith("give")))).toEqual(new Set(["give back abc:1:0"]));
    expect(slots.ended(call)).toBe(false);
    await pass(lease);
    const before = did.length;
    await pass(lease);
    expect(did.slice(before).filter((deed) => deed.startsWith("give"))).toEqual([]);
  });

  test("takes a stop of the whole process for no standstill", async () => {
    const { hold, pass, skip, did } = stage({ blockedLimit: 60_000 });
    hold("a");
    await pass(lease, { turns: true });
    skip(3_600_000);
    await pass(lease / 24);
    expect(did).toEqual([]);
  });

  test("ends the process at a hard limit: the task is marked, the others go back uncounted, one that must not run twice counted", async () => {
    const { hold, rows, pass, did, letGone, lines, now } = stage();
    const [limited, , once] = ["limited", "beside", "once"].map(hold);
    rows.limit(limited!, now(), 5000);
    rows.begin(once!, true);
    await pass(5000);
    expect(did).not.toContain("kill");
    await pass(lease);
    expect(did.filter((deed) => deed === "kill")).toHaveLength(1);
    expect(letGone.map(({ id, how }) => [id, how])).toEqual([
      ["limited", { type: "time-limit", limit: 5000 }],
      ["beside", { type: "back" }],
      ["once", { type: "crashed" }],
    ]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^fatal: .*the process ends, and what it held goes to other workers \{"worker":"w1","reason":"time limit",.*"tasks":\[\{"task":"add","id":"limited","held":\d+,"reason":"time limit"\},/,
    );
  });

  test("marks only the task that has stopped the event loop, if it is known: the others could not end in time", async () => {
    const { hold, begin, rows, pass, did, letGone, now } = stage();
    const [innocent, culprit] = ["innocent", "culprit"].map(hold);
    rows.limit(innocent!, now(), 1000);
    rows.limit(culprit!, now(), 5000);
    begin(culprit!);
    await pass(4000);
    expect(did).not.toContain("kill");
    await pass(lease);
    expect(did.filter((deed) => deed === "kill")).toHaveLength(1);
    expect(letGone.map(({ id, how }) => [id, how])).toEqual([
      ["innocent", { type: "back" }],
      ["culprit", { type: "time-limit", limit: 5000 }],
    ]);
  });

  test("lets a task without a limit stop the event loop, whatever limits those beside it have", async () => {
    const { hold, begin, rows, pass, did, now } = stage();
    const [innocent, culprit] = ["innocent", "culprit"].map(hold);
    rows.limit(innocent!, now(), 1000);
    begin(culprit!);
    await pass(3 * lease);
    expect(did).not.toContain("kill");
  });

  test("leaves a task alone that has ended within its limit", async () => {
    const { hold, rows, pass, did, now } = stage();
    const limited = hold("limited");
    rows.limit(limited, now(), 5000);
    rows.unlimit(limited);
    await pass(3 * lease);
    expect(did).not.toContain("kill");
  });

  test("ends the process when a held task is revoked, to be terminated", async () => {
    const { hold, terminate, pass, did, letGone } = stage();
    hold("a");
    hold("b");
    terminate("b");
    await pass(2 * lease);
    expect(did.filter((deed) => deed === "kill")).toHaveLength(1);
    expect(letGone.map(({ how }) => how.type)).toEqual(["back", "back"]);
  });

  test("ends the process at the limit for the loop: what it held counts as crashed, with or without a broker", async () => {
    const { hold, breakDown, pass, did, letGone } = stage({ blockedLimit: 60_000 });
    hold("a");
    breakDown(true);
    await pass(55_000);
    expect(did).not.toContain("kill");
    await pass(10_000);
    expect(did.filter((deed) => deed === "kill")).toHaveLength(1);
    expect(letGone).toEqual([]);
  });

  test("counts at that limit only what has begun", async () => {
    const { hold, begin, pass, letGone } = stage({ blockedLimit: 60_000 });
    const [first] = ["begun", "waiting"].map(hold);
    begin(first!);
    await pass(65_000);
    expect(letGone.map(({ id, how }) => [id, how.type])).toEqual([
      ["begun", "crashed"],
      ["waiting", "back"],
    ]);
  });

  test.each(["time limit", "blocked"] as const)("does not end a process whose event loop goes on meanwhile, at its %s", async (reason) => {
    const { hold, rows, turnAtLetGo, breakDown, pass, did, now } = stage({ blockedLimit: 60_000 });
    const held = hold("a");
    if (reason === "time limit") rows.limit(held, now(), 1000);
    breakDown(reason === "blocked");
    turnAtLetGo();
    await pass(65_000);
    expect(did).not.toContain("kill");
  });

  test("gives back what nobody has read once more if that fails, at the latest with all else", async () => {
    const { slots, hold, failToGiveBack, pass, did } = stage({ blockedLimit: 60_000 });
    hold("a");
    slots.begun("abc:1:0");
    failToGiveBack(true);
    await pass(30_000);
    expect(did.filter((deed) => deed.startsWith("give"))).toEqual([]);
    failToGiveBack(false);
    await pass(35_000);
    expect(did.filter((deed) => deed.startsWith("give"))).not.toEqual([]);
    expect(did.indexOf("give back abc:1:0")).toBeLessThan(did.indexOf("kill"));
  });

  test("does not end the process at a hard limit before the broker knows", async () => {
    const { hold, rows, breakDown, pass, did, letGone, now } = stage();
    rows.limit(hold("a"), now(), 1000);
    breakDown(true);
    await pass(2 * lease);
    expect(did).not.toContain("kill");
    breakDown(false);
    await pass(lease);
    expect(did.filter((deed) => deed === "kill")).toHaveLength(1);
    expect(letGone).toHaveLength(1);
  });

  test.each([
    ["may not end the process", { endsProcess: false }, 2],
    ["sees a debugger", { isDebugged: true }, 0],
  ])("that %s renews on, and writes lines: %#", async (_, given, count) => {
    const { hold, rows, pass, did, lines, now } = stage({ ...given, blockedLimit: 30_000 });
    rows.limit(hold("a"), now(), 1000);
    await pass(60_000);
    expect(did).not.toContain("kill");
    expect(lines).toHaveLength(count);
    expect(did.filter((deed) => deed === "renew a").length).toBeGreaterThan(10);
  });

  test("forgets a worker that leaves", async () => {
    const { guarding, hold, pass, did } = stage();
    hold("a");
    guarding.onMessage({ type: "leave", worker: 1 });
    await pass(3 * lease);
    expect(did).toEqual([]);
  });
});

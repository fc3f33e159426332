import { pino } from "pino";
import { expect, test } from "vitest";
import { loopGuard } from "../../src/guard/loop-guard.js";
import type { Watched } from "../../src/guard/messages.js";
import { processGuard } from "../../src/guard/process-guard.js";

const loans: Watched["loans"] = { location: {}, rotates: false, prefixes: ["bull:a:"], lease: 60_000, worker: "w1" };

function guard(location: unknown = {}) {
  const lines: string[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
  const options = { queues: ["a"], isTask: () => true, blockedLimit: Infinity, endsProcess: false, format: "json" } as const;
  const opened = loopGuard({ ...options, log, onTrouble: (reason) => void lines.push(reason) });
  return {
    start: () => opened.start({ data: { ...loans, location }, watch: () => () => {} }),
    stop: () => opened.stop(),
    lines,
  };
}

const watched = (): Watched => ({
  loans,
  takes: new SharedArrayBuffer(8),
  latest: new SharedArrayBuffer(16),
  blockedLimit: Infinity,
  endsProcess: false,
  format: "json",
});

test("all workers of a process share one thread, which ends with the last of them", async () => {
  const [one, other] = [guard(), guard()];
  await Promise.all([one.start(), other.start()]);
  const shared = processGuard();
  await one.stop();
  expect(processGuard()).toBe(shared);
  await other.stop();
  const anew = processGuard()!;
  expect(anew).not.toBe(shared);
  const joined = anew.join(watched(), () => undefined);
  await joined.ready;
  await joined.leave();
  expect([...one.lines, ...other.lines]).toEqual([]);
});

test("a start that is stopped meanwhile ends", async () => {
  const { start, stop, lines } = guard();
  const started = start();
  await stop();
  await started;
  expect(lines).toEqual([]);
});

test("a start whose options cannot be sent to a thread says so, and leaves no thread behind", async () => {
  const { start, stop, lines } = guard({ options: { tls: { checkServerIdentity: () => undefined } } });
  await start();
  expect(lines.join()).toMatch(/no guard thread: a blocked event loop loses its leases/);
  await stop();
});

test("a thread that has ended is replaced for whoever comes next, and those who had it hear of it", async () => {
  const heard: string[] = [];
  const first = processGuard()!;
  const joined = first.join(watched(), (reason) => void heard.push(reason));
  await joined.ready;
  // Not what it can read: it fails at its next look.
  joined.addRows(new SharedArrayBuffer(1));
  await expect.poll(() => heard.length).toBe(1);
  expect(heard[0]).toMatch(/^it has ended: /);
  const { start, stop, lines } = guard();
  await start();
  expect(processGuard()).not.toBe(first);
  await stop();
  await joined.leave();
  expect(lines).toEqual([]);
});

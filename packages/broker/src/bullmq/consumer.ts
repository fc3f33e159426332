import type { ConsumeOptions, Consumer, LoanData } from "../ports/consumer.js";
import { maxMessageBytes as maxMessageBytesFor } from "../protocol/payload-limit.js";
import { openConnection } from "../redis/connection.js";
import type { DeadLinks } from "../redis/dead-links.js";
import { flowIndexKey, queueKey } from "../redis/keys.js";
import { plainLocation, type CompiledLocation } from "../redis/location.js";
import { steadyClock, systemClock } from "../time/clock.js";
import { systemTiming } from "../time/shared-timer.js";
import { withTimeout } from "../time/with-timeout.js";
import { ConsumedQueues } from "./consumed-queues.js";
import { Continuations } from "./flows/continuations.js";
import { FlowRunner } from "./flows/flow-runner.js";
import { FlowStore } from "./flows/flow-store.js";
import { repairFlows } from "./flows/repair-flows.js";
import { openLeases } from "./leases.js";
import { queueNotes } from "./note-queues.js";
import { openWarnings } from "./open-warnings.js";
import { openPromote } from "./promote.js";
import { QueueAvailability } from "./queue-availability.js";
import { QueueTurns } from "./queue-turns.js";
import type { ResultStore } from "./result-store.js";
import { SettleAndTake } from "./settle-and-take.js";
import { StoredAhead } from "./stored-ahead.js";
import { WakeupListener } from "./wakeup-listener.js";

export interface ConsumerContext {
  readonly location: CompiledLocation;
  readonly results: ResultStore;
  readonly prefix: string;
  /** Shared with the other connections of the app. */
  readonly deadLinks?: DeadLinks;
  readonly onConnectionError?: (reason: string) => void;
}

/** Longest time that closing waits for what is left to do in flows, in ms. */
const closeTimeout = 500;

/** Longest time that a call may take, outages included, in ms. */
const deadline = 5000;

/**
 * Longest time that a blocking read lasts, in ms; its link is given up after a fifth more. Shorter
 * with a lease of less than 15 s.
 */
const maxRead = 10_000;

/**
 * The consuming side of some queues: one connection for commands and one that blocks, however many
 * queues.
 */
export function openConsumer(options: ConsumeOptions, context: ConsumerContext): Consumer {
  const { location, results, prefix, deadLinks, onConnectionError } = context;
  const { lease, scan = lease / 3, worker, takeWatch, allowEviction = false, maxMessageBytes = maxMessageBytesFor(0) } = options;
  const hearing = onConnectionError && { onConnectionError };
  const shared = { service: "broker" as const, ...hearing, ...(deadLinks && { deadLinks }) };
  const read = Math.min(maxRead, (lease * 2) / 3);
  const commands = openConnection(location, { name: `bullrush:${worker}`, idleTimeout: lease / 3, ...shared });
  const bell = openConnection(location, { name: `bullrush:${worker}:bell`, idleTimeout: Math.max(read * 1.2, read + 250), ...shared });

  const queues = new ConsumedQueues(prefix, options.queues);
  const { prefixes } = queues;
  const clock = systemClock;
  const availability = new QueueAvailability(queues.list.length);
  const wakeups = new WakeupListener({
    bell,
    commands,
    markers: prefixes.map((key) => `${key}marker`),
    availability,
    clock,
    timing: systemTiming,
    maxWait: read,
    deadline,
  });
  const flows = new FlowStore(commands, { prefix, deadline, noteQueues: queueNotes(prefix, steadyClock) });
  const flowRunner = new FlowRunner(flows, results);
  const continuations = new Continuations(results, flows, prefix);
  const stored = new StoredAhead({ results, continuations, commands, deadline });
  const leases = openLeases({
    commands,
    prefixes,
    queues: queues.list,
    flowIndex: flowIndexKey(prefix),
    numberOf: (queue) => queues.numberOf(queue),
    lease,
    scan,
    deadline,
  });
  const settleAndTake = new SettleAndTake({
    commands,
    queues,
    turns: new QueueTurns(options, availability),
    availability,
    results,
    stored,
    continuations,
    flowRunner,
    leases,
    external: { commands, keyOf: (queue) => queueKey(prefix, queue), deadline, ...hearing },
    clock,
    takeWatch,
    lease,
    worker,
    maxMessageBytes,
    deadline,
    onResting: passOnResting,
    ...hearing,
  });

  async function open(): Promise<readonly string[]> {
    const warnings = await openWarnings(commands, { prefix: prefixes[0] as string, allowEviction, deadline });
    const apart = await stored.probe();
    return apart === undefined ? warnings : [...warnings, `results are stored in calls of their own, which is slower: ${apart}`];
  }

  /**
   * Passes the wakeups of resting queues on to other workers. What fails is tried again before the
   * next wait.
   */
  function passOnResting(now: number): void {
    wakeups.passOnResting(now).catch(() => undefined);
  }

  function backOff(queue: string, pause: number): void {
    const now = clock.now();
    availability.backOff(queues.numberOf(queue) - 1, now + pause);
    passOnResting(now);
  }

  function loanData(): LoanData {
    return { location: plainLocation(location), rotates: location.password !== undefined, prefixes, lease, worker };
  }

  async function close(): Promise<void> {
    wakeups.close();
    // What this consumer has begun in flows ends sooner here than by a repair.
    await withTimeout(flowRunner.ended(), closeTimeout, () => undefined);
    commands.close();
  }

  return {
    open,
    loans: {
      get data() {
        return loanData();
      },
      watch: (listener) => location.password?.listen(() => listener(loanData())) ?? (() => {}),
    },
    get storesInSettlement() {
      return results.storesInSettlement;
    },
    store: (settlements) => stored.store(settlements),
    settleAndTake: (request) => settleAndTake.run(request),
    wait: () => wakeups.wait(),
    stopListening: () => wakeups.close(),
    releaseWakeups: () => wakeups.release(),
    hasWork: () => availability.hasWork(clock.now()),
    nextLookAt: () => availability.nextLookAt(),
    assumeWork: () => availability.assumeWork(),
    backOff,
    promote: openPromote({ commands, prefixes, indexes: queues.indexes, deadline }),
    renew: leases.renew,
    begin: leases.begin,
    end: leases.end,
    recover: leases.recover,
    droppedDeadLetters: leases.droppedDeadLetters,
    repairFlows: (stale) => (leases.takeNoFlows() ? Promise.resolve(0) : repairFlows({ flows, runner: flowRunner, results }, stale)),
    close,
  };
}

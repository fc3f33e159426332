import { steadyClock } from "../../time/clock.js";
import { BullrushError } from "../../errors/error.js";
import { newId } from "../../protocol/id.js";
import type { Advance, Advanced, Due, NamedCall, ScheduleNews, Schedules, StoredEntry, Term } from "../../ports/schedules.js";
import { defaultMaxPayload } from "../../protocol/payload-limit.js";
import { encodeJson } from "../../json/json.js";
import type { ScheduledCall } from "../../protocol/schedule.js";
import { openConnection, type Connection, type ConnectionOptions } from "../../redis/connection.js";
import type { DeadLinks } from "../../redis/dead-links.js";
import { checkEviction } from "../../redis/eviction.js";
import { beatChannel, beatIndexKey, beatKeys } from "../../redis/keys.js";
import { compileLocation, type CompiledLocation, type RedisLocation } from "../../redis/location.js";
import { refusalIn } from "../../redis/refusal.js";
import { missingCommands } from "../../redis/probe-rights.js";
import { missingRights } from "../../redis/rights.js";
import { runScript, type Argument, type Script } from "../../redis/script.js";
import { openSubscription } from "../../redis/subscription.js";
import { engineScript } from "../engine.js";
import { queueNotes } from "../note-queues.js";
import { encodeAdvance, readAdvanced, type AdvanceReply, type EncodedAdvance } from "./advancing.js";
import { batchesOf, type Load } from "./batches.js";
import { entryOf, type EntryReply } from "./stored-entry.js";

export interface RedisScheduleStoreOptions {
  readonly location: RedisLocation;
  /** What the keys of all queues start with. */
  readonly prefix: string;
  /**
   * Name of the app: under a prefix, each app has entries and a leader of its own. Default: `app`.
   */
  readonly app?: string;
  /** Longest time of a call, outages included, in ms. Default: 5000. */
  readonly deadline?: number;
  /** Longest encoded message in bytes. Default: 1 MiB. */
  readonly maxPayload?: number;
  /** How long a term lasts unless it is renewed, in ms. Default: 10,000. */
  readonly lead?: number;
  /** Shared with the other connections of the app. */
  readonly deadLinks?: DeadLinks;
  /** Whether BullMQ's events of its ticks are written. Default: true. */
  readonly bullmqEvents?: boolean;
  /** Hears why the connection fails, and of entries that cannot be read. */
  readonly onConnectionError?: (reason: string) => void;
}

const scripts = {
  campaign: engineScript("beat/campaign"),
  renew: engineScript("beat/renew"),
  resign: engineScript("beat/resign"),
  sync: engineScript("beat/sync"),
  lost: engineScript("beat/lost"),
  set: engineScript("beat/set"),
  remove: engineScript("beat/remove"),
  pause: engineScript("beat/pause"),
  read: engineScript("beat/read"),
  due: engineScript("beat/due"),
  advance: engineScript("beat/advance"),
};

/**
 * Entries and leader on the broker, so that a tick is sent and its entry goes on in one script.
 * Nothing is connected before the first call.
 */
export function redisScheduleStore(options: RedisScheduleStoreOptions): Schedules {
  const {
    prefix,
    app = "app",
    deadline = 5000,
    maxPayload = defaultMaxPayload,
    lead = 10_000,
    bullmqEvents = true,
    deadLinks,
    onConnectionError,
  } = options;
  const location: CompiledLocation = { ...compileLocation(options.location), bullmqEvents };
  const shared = { ...(deadLinks && { deadLinks }), ...(onConnectionError && { onConnectionError }) };
  const connect = (name: string, { holdsProcess, onReplaced }: Pick<ConnectionOptions, "holdsProcess" | "onReplaced">): Connection =>
    openConnection(location, {
      service: "broker",
      name: `bullrush:${name}`,
      ...shared,
      ...(holdsProcess === false && { holdsProcess }),
      ...(onReplaced && { onReplaced }),
    });
  const commands = connect("beat", { holdsProcess: false });
  const channel = beatChannel(prefix, app);
  const keys = [beatKeys(prefix, app)];
  const noteQueues = queueNotes(prefix, steadyClock);
  const heard = openSubscription((onReplaced) => connect("beat-hears", { onReplaced }), {
    channel,
    action: "changes of entries were not subscribed to",
    deadline,
  });

  /** Arguments are made once: what is repeated is the same, and the scripts know it again. */
  function run(action: string, script: Script, args: readonly Argument[]): Promise<unknown> {
    return commands.run({ action, deadline }, (client) => runScript(client, script, keys, args));
  }

  async function open({ allowEviction }: { readonly allowEviction: boolean }): Promise<readonly string[]> {
    const { evicting, missing } = await commands.run({ action: "the beat did not start", deadline }, async (client) => ({
      evicting: await checkEviction(client, location.display, allowEviction),
      missing: await missingCommands(client, keys[0] as string, Object.values(scripts)),
    }));
    const lacking = missing.length === 0 ? undefined : await commands.denied([missingRights(missing)], scripts.advance);
    if (lacking !== undefined) throw lacking;
    return evicting === undefined ? [] : [evicting];
  }

  async function campaign(): Promise<Term | undefined> {
    const token = newId();
    const epoch = (await run("the beat did not begin a term", scripts.campaign, [token, lead])) as number | null;
    return epoch === null ? undefined : { token, epoch };
  }

  async function renew({ token }: Term): Promise<boolean> {
    return (await run("the term of a beat was not renewed", scripts.renew, [token, lead])) === 1;
  }

  async function resign({ token }: Term): Promise<void> {
    await run("the term of a beat was not ended", scripts.resign, [token, channel]);
  }

  async function sync(term: Term, entries: readonly NamedCall[]): Promise<boolean> {
    const kept = new Set(entries.map(({ name }) => name));
    const dropped = (await list()).flatMap(({ name, origin }) => (origin === "options" && !kept.has(name) ? [{ args: [name] }] : []));
    return write(term, entries, dropped, "");
  }

  async function restore(term: Term, entries: readonly NamedCall[]): Promise<boolean> {
    return write(term, entries, [], "1");
  }

  async function write({ token }: Term, entries: readonly NamedCall[], dropped: readonly Load[], restoring: "1" | ""): Promise<boolean> {
    const stored = entries.map(({ name, call }) => ({ args: [name, textOf(name, call)] }));
    const version = newId();
    const calls = [
      ...batchesOf(stored).map((batch) => [batch.length, ...argumentsOf(batch)]),
      ...batchesOf(dropped).map((batch) => [0, ...argumentsOf(batch)]),
    ];
    for (const args of calls.length > 0 ? calls : [[0]]) {
      if ((await run("the entries of the options were not stored", scripts.sync, [token, version, restoring, ...args])) === 0) return false;
    }
    return true;
  }

  async function lost(names: readonly string[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (const batch of batchesOf(names.map((name) => ({ args: [name] })))) {
      found.push(...((await run("the stored entries were not looked up", scripts.lost, argumentsOf(batch))) as string[]));
    }
    return found;
  }

  async function set({ name, call }: NamedCall): Promise<void> {
    await run(`entry "${name}" was not confirmed; setting it again is safe`, scripts.set, [name, textOf(name, call), newId(), channel]);
  }

  async function remove(name: string): Promise<boolean> {
    return (await run(`the removal of entry "${name}" was not confirmed`, scripts.remove, [name, newId(), channel])) === 1;
  }

  async function pause(name: string): Promise<boolean> {
    return (await run(`entry "${name}" was not paused`, scripts.pause, [name, "1", newId(), channel])) === 1;
  }

  async function resume(name: string): Promise<boolean> {
    return (await run(`entry "${name}" was not resumed`, scripts.pause, [name, "", newId(), channel])) === 1;
  }

  async function list(): Promise<readonly StoredEntry[]> {
    const names = await commands.run({ action: "the entries were not listed", deadline, reads: true }, (client) =>
      client.zrange(beatIndexKey(prefix, app), "0", "-1"),
    );
    return (await read(names.toSorted())).filter((entry) => entry !== undefined);
  }

  async function read(names: readonly string[]): Promise<readonly (StoredEntry | undefined)[]> {
    const found: (StoredEntry | undefined)[] = [];
    for (const batch of batchesOf(names.map((name) => ({ args: [name] })))) {
      const replies = (await run("entries were not read", scripts.read, argumentsOf(batch))) as (EntryReply | null)[];
      found.push(...replies.map((reply) => (reply === null ? undefined : entryOf(reply))));
    }
    return found;
  }

  async function due(until: number, most: number, resting: readonly Pick<StoredEntry, "name" | "version">[] = []): Promise<Due> {
    // What is never due has an infinite score.
    const time = Math.min(until, Number.MAX_SAFE_INTEGER);
    const reply = await run("the due entries were not looked up", scripts.due, [
      time,
      most,
      ...resting.flatMap(({ name, version }) => [name, version]),
    ]);
    const [now, replies, following] = reply as [string, readonly EntryReply[], string | null];
    const next = Number(following ?? Infinity);
    return {
      now: Number(now),
      entries: replies.map(entryOf),
      ...(Number.isFinite(next) && { next }),
    };
  }

  async function advance({ token }: Term, advances: readonly Advance[]): Promise<readonly Advanced[]> {
    const encoded = advances.map((one) => encodeAdvance(one, maxPayload));
    const outcomes: Advanced[] = [];
    for (const batch of batchesOf(encoded.filter((load): load is EncodedAdvance => !(load instanceof BullrushError)))) {
      const args = [token, `${prefix}:`, ...argumentsOf(batch)];
      const queues = new Set(batch.flatMap((one) => one.queues));
      const replies = (await commands.run({ action: "ticks were not confirmed", deadline }, (client) => {
        noteQueues(client, queues);
        return runScript(client, scripts.advance, keys, args);
      })) as readonly AdvanceReply[] | null;
      const failed = (replies ?? []).flatMap((one) => (one[0] === "failed" ? [refusalIn(one[1])] : []));
      const denied = failed.length === 0 ? undefined : await commands.denied(failed, scripts.advance);
      outcomes.push(
        ...batch.map(({ name }, index) =>
          replies === null ? "deposed" : readAdvanced(name, replies[index] as AdvanceReply, { denied, url: commands.display, deadline }),
        ),
      );
    }
    let at = 0;
    return encoded.map((load) => (load instanceof BullrushError ? load : (outcomes[at++] as Advanced)));
  }

  async function subscribe(listener: (news: ScheduleNews) => void): Promise<() => void> {
    return heard.subscribe(
      (what) => listener(what === "resigned" ? what : "changed"),
      () => listener("changed"),
    );
  }

  async function close(): Promise<void> {
    heard.close();
    commands.close();
  }

  return { open, campaign, renew, resign, sync, lost, restore, set, remove, pause, resume, list, read, due, advance, subscribe, close };
}

function textOf(name: string, call: ScheduledCall): string {
  return encodeJson(call, `entry "${name}"`) as string;
}

function argumentsOf(batch: readonly Load[]): readonly Argument[] {
  return batch.flatMap(({ args }) => args);
}

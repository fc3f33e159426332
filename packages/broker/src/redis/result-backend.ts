import { randomBytes } from "node:crypto";
import type { Claim, ReadOptions, Results, StoreReply, StoreRequest } from "../ports/results.js";
import { isTaskId } from "../protocol/id.js";
import { replyChannel } from "../protocol/reply-channel.js";
import { toFailure } from "../protocol/to-failure.js";
import { BullrushError } from "../errors/error.js";
import { maxMessageBytes } from "../protocol/payload-limit.js";
import { decodeRecord, encodeRecord, type TaskRecord } from "../protocol/record.js";
import { openConnection, type Connection } from "./connection.js";
import type { DeadLinks } from "./dead-links.js";
import { groupKey, resultKey } from "./keys.js";
import { compileLocation, type CompiledLocation, type RedisLocation } from "./location.js";
import { runScript, scriptAt } from "./script.js";
import { storeArguments } from "./store-arguments.js";
import { openSubscription } from "./subscription.js";
import { counted } from "../errors/words.js";

export interface RedisResultBackendOptions {
  readonly location: RedisLocation;
  /** How long a command may take, outages included, in ms. Default: 5000. */
  readonly deadline?: number;
  /**
   * Longest record that is sent along with a notification, in bytes of JSON; a longer one is read
   * by whoever waits. Default: 16384.
   */
  readonly largestNotified?: number;
  /**
   * Longest record that is read, in bytes: of a longer one it is said that it cannot be. Default: 8
   * MiB.
   */
  readonly maxRecord?: number;
  /** Shared with the other connections of the app. */
  readonly deadLinks?: DeadLinks;
  readonly onConnectionError?: (reason: string) => void;
}

const scripts = { store: scriptAt("redis/store"), claim: scriptAt("redis/claim"), unclaim: scriptAt("redis/unclaim") };
const storeReplies: readonly StoreReply[] = ["stored", "superseded", "fenced"];

/** A result backend that a script on the same server may store in. */
export interface RedisResultBackend extends Results {
  readonly location: CompiledLocation;
  /** In bytes. */
  readonly largestNotified: number;
}

/**
 * Result backend on a Redis of its own or the broker's: one string of JSON a task, with a time to
 * live, and one channel a waiting process.
 */
export function redisResultBackend(options: RedisResultBackendOptions): RedisResultBackend {
  const { deadline = 5000, largestNotified = 16_384, maxRecord = maxMessageBytes(0), deadLinks, onConnectionError } = options;
  const location = compileLocation(options.location);
  const shared = { ...(deadLinks && { deadLinks }), ...(onConnectionError && { onConnectionError }) };
  const connect = (name: string, onReplaced?: () => void): Connection =>
    openConnection(location, {
      service: "result backend",
      name: `bullrush:${name}`,
      holdsProcess: false,
      ...shared,
      ...(onReplaced && { onReplaced }),
    });
  const commands = connect("results");
  const ownChannel = replyChannel(randomBytes(16).toString("base64url"));
  const replies = openSubscription((onReplaced) => connect("replies", onReplaced), {
    channel: ownChannel,
    action: "results were not subscribed to",
    deadline,
    holdsProcess: false,
    onDemoted: () => commands.renew(),
  });

  async function open(): Promise<void> {
    await commands.run({ action: "it was not opened", deadline }, (client) => client.ping());
  }

  async function store(records: readonly StoreRequest[]): Promise<readonly StoreReply[]> {
    if (records.length === 0) return [];
    const { groups, args, order } = storeArguments(records);
    const stored = await commands.run(
      { action: `${counted(records.length, "result was", "results were")} not stored`, deadline },
      (client) => runScript(client, scripts.store, [], [resultKey(""), largestNotified, groups, ...args]),
    );
    const replies = new Map(order.map((record, index) => [record, storeReplies[(stored as number[])[index] as number] as StoreReply]));
    return records.map((record) => replies.get(record) as StoreReply);
  }

  async function claim(claims: readonly Claim[]): Promise<readonly ("claimed" | "fenced" | TaskRecord)[]> {
    if (claims.length === 0) return [];
    const args = claims.flatMap(({ delivery, expires, worker, failure }) => [
      delivery,
      expires,
      encodeRecord({ state: "STARTED", delivery, worker, failure }),
    ]);
    const keys = claims.map(({ id }) => resultKey(id));
    const claimed = await commands.run({ action: `${counted(claims.length, "task was", "tasks were")} not claimed`, deadline }, (client) =>
      runScript(client, scripts.claim, keys, [maxRecord, ...args]),
    );
    return (claimed as (number | string)[]).map((reply) =>
      typeof reply === "string" ? readOrFail(reply, maxRecord) : reply === 0 ? "claimed" : "fenced",
    );
  }

  async function unclaim(id: string, delivery: number): Promise<void> {
    await commands.run({ action: `the claim of task ${id} was not removed`, deadline }, (client) =>
      runScript(client, scripts.unclaim, [resultKey(id)], [delivery]),
    );
  }

  async function read(ids: readonly string[], { isSure = false }: ReadOptions = {}): Promise<readonly (TaskRecord | undefined)[]> {
    if (ids.length === 0) return [];
    const doubts = (found: readonly (string | null)[]) => isSure && found.includes(null);
    const texts = await commands.run(
      { action: `${counted(ids.length, "result was", "results were")} not read`, deadline, reads: true, doubts },
      (client) => client.mget(ids.map(resultKey)),
    );
    return texts.map((text) => (text === null ? undefined : readOrFail(text, maxRecord)));
  }

  async function forget(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await commands.run({ action: `${counted(ids.length, "result was", "results were")} not forgotten`, deadline }, (client) =>
      client.unlink(ids.map(resultKey)),
    );
  }

  async function saveGroup(id: string, text: string, expires: number): Promise<void> {
    await commands.run({ action: "a group was not saved", deadline }, (client) => client.set(groupKey(id), text, "PX", expires));
  }

  async function readGroup(id: string): Promise<string | undefined> {
    const text = await commands.run({ action: "a group was not read", deadline, reads: true }, (client) => client.get(groupKey(id)));
    return text ?? undefined;
  }

  async function forgetGroup(id: string): Promise<void> {
    await commands.run({ action: "a group was not forgotten", deadline }, (client) => client.unlink(groupKey(id)));
  }

  return {
    location,
    largestNotified,
    open,
    store,
    claim,
    unclaim,
    read,
    forget,
    saveGroup,
    readGroup,
    forgetGroup,
    replyChannel: ownChannel,
    subscribe: (listener, onGap) => replies.subscribe((payload) => tellLines(payload, listener), onGap),
    close: async () => {
      replies.close();
      commands.close();
    },
  };
}

type Listener = (id: string, record: TaskRecord | undefined) => void;

/** Tells `listener` of each line of a notification. */
function tellLines(payload: string, listener: Listener): void {
  for (const line of payload.split("\n")) {
    const id = line.slice(0, idLength);
    if (isTaskId(id)) listener(id, line.length > idLength ? readable(line.slice(idLength)) : undefined);
  }
}

/** The record in `text`; `undefined` if it is none, so that whoever waits reads what is stored. */
function readable(text: string): TaskRecord | undefined {
  try {
    return decodeRecord(text);
  } catch {
    return undefined;
  }
}

/**
 * The record in `text`, or one that says why it cannot be read: a broken record must not hide those
 * that are read with it.
 */
function readOrFail(text: string, maxBytes: number): TaskRecord {
  try {
    if (text.length > maxBytes)
      throw new BullrushError("DECODE_ERROR", { what: "the record", reason: `it has more than ${maxBytes} bytes` });
    return decodeRecord(text);
  } catch (error) {
    return { state: "FAILURE", delivery: 0, failure: toFailure(error) };
  }
}

/**
 * A line of a notification is an id, a UUID, and behind it the record; JSON has no line feed of its
 * own.
 */
const idLength = 36;

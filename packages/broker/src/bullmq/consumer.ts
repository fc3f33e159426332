import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { ConsumeOptions, Consumer, Delivery, Exchange, Settled, Settlement } from "../ports/transport.js";
import type { ResultBackend } from "../ports/result-backend.js";
import { describeFailure } from "../protocol/failure.js";
import { openConnection } from "../redis/connection.js";
import { morgueKey, queueKey } from "../redis/keys.js";
import type { CompiledLocation } from "../redis/location.js";
import { runScript } from "../redis/script.js";
import { readContent } from "./content.js";
import { engineScript } from "./engine.js";
import { Outlook } from "./outlook.js";
import { from, oneRound } from "./turns.js";

export interface ConsumerContext {
  readonly location: CompiledLocation;
  readonly backend: ResultBackend;
  readonly prefix: string;
  readonly onTrouble?: (reason: string) => void;
}

/** Most leases that are renewed in one call, so that none holds Redis for long. */
const mostRenewed = 1000;

/** Longest time that a call may take, outages included, in ms. */
const deadline = 5000;

const scripts = { exchange: engineScript("exchange"), renew: engineScript("renew"), recover: engineScript("recover") };

/** The consuming side of some queues: one connection for commands and one that blocks, however many queues. */
export function openConsumer(options: ConsumeOptions, context: ConsumerContext): Consumer {
  const { location, backend, prefix } = context;
  const { lease, worker, order } = options;
  const silence = lease / 3;
  const trouble = context.onTrouble && { onTrouble: context.onTrouble };
  const commands = openConnection(location, { service: "broker", name: `bullrush:${worker}`, silence, ...trouble });
  const bell = openConnection(location, { service: "broker", name: `bullrush:${worker}:bell`, silence, ...trouble });

  const names = options.queues.map(({ name }) => name);
  const prefixes = names.map((name) => queueKey(prefix, name));
  const markers = prefixes.map((key) => `${key}marker`);
  const exchangeKeys = names.flatMap((name) => [queueKey(prefix, name), morgueKey(prefix, name)]);
  const outlook = new Outlook(names.length);
  const round = order === "strict" ? names.map((_, index) => index) : oneRound(options.queues);
  const longestRing = silence / 2;
  const tokens = randomUUID();
  let turn = 0;
  let exchanges = 0;
  /** The markers that were heard here, by queue, with the time that they spoke of; nobody else hears of it unless they are passed on. */
  const heard = new Map<number, number>();

  async function open(): Promise<readonly string[]> {
    return commands.run({ action: "the worker did not start", deadline }, async (client) => {
      const before = Date.now();
      const [seconds, microseconds] = await client.time();
      const skew = Number(seconds) * 1000 + Number(microseconds) / 1000 - (before + Date.now()) / 2;
      const policy = /maxmemory_policy:(\S+)/.exec(await client.info("memory"))?.[1] ?? "noeviction";
      return [
        ...(Math.abs(skew) > 2000
          ? [`the clock of ${location.display} differs by ${Math.round(skew)} ms: delays will be off by as much`]
          : []),
        ...(policy === "noeviction"
          ? []
          : [`${location.display} evicts keys (maxmemory-policy ${policy}) and may lose tasks: set noeviction`]),
      ];
    });
  }

  async function exchange({ settle, take }: { readonly settle: readonly Settlement[]; readonly take: number }): Promise<Exchange> {
    const stores = settle.flatMap(({ store }) => store ?? []);
    if (stores.length > 0) await backend.store(stores);
    const number = exchanges++;
    // A second try of the same call must not take under the tokens of the first, whose deliveries nobody got.
    let tries = 0;
    const reply = await commands.run({ action: `${settle.length} tasks were not settled`, deadline }, (client) => {
      const now = Date.now();
      const head = [now, lease, worker, `${tokens}:${number}:${tries++}`, take, order === "strict" ? "strict" : "turns", settle.length];
      return runScript(client, scripts.exchange, exchangeKeys, [...head, ...settle.flatMap(settlementArguments), ...turns(take, now)]);
    });
    return read(reply as ExchangeReply, tries > 1);
  }

  /** The queues in their turn. Those that were empty come first, and only if their marker says that there is something: turns among the others would be lost on them. */
  function turns(take: number, now: number): readonly number[] {
    if (take === 0) return [];
    const open = round.filter((index) => !outlook.isResting(index, now));
    const marked = (index: number) => -(index + 1);
    if (order === "strict") return open.map((index) => (outlook.mayHold(index, now) ? index + 1 : marked(index)));
    const full = open.filter((index) => outlook.mayHold(index, now));
    const empty = [...new Set(open)].filter((index) => !outlook.mayHold(index, now));
    const start = turn;
    turn += take;
    return [...empty.map(marked), ...from(full, start).map((index) => index + 1)];
  }

  function settlementArguments({ delivery, outcome }: Settlement): readonly (string | number)[] {
    const head = [names.indexOf(delivery.queue) + 1, delivery.id, delivery.token];
    const ours = delivery.content.type === "foreign" ? "0" : "1";
    switch (outcome.type) {
      case "succeeded":
        return [...head, "completed", ours, ours === "1" ? "null" : (outcome.result ?? "null"), ""];
      case "failed": {
        const { failure } = outcome;
        return [
          ...head,
          outcome.bury ? "buried" : "failed",
          ours,
          describeFailure(failure),
          JSON.stringify([failure.stack ?? failure.message]),
        ];
      }
      case "revoked":
        return [...head, "failed", ours, `revoked: ${outcome.reason}`, ""];
      case "requeued":
        return [...head, "requeued", ours, "", ""];
    }
  }

  /** @param repeated whether an earlier try may have settled already what is no longer on loan */
  function read([settled, taken, dry, broken]: ExchangeReply, repeated: boolean): Exchange {
    const now = Date.now();
    const deliveries = taken.map(([queue, id, name, text, priority, count, token]): Delivery => {
      outlook.gave(queue - 1);
      return { queue: names[queue - 1] as string, id, number: count, token, content: readContent(id, name, text, priority) };
    });
    for (const { queue } of deliveries) heard.delete(names.indexOf(queue));
    for (const [queue, limited, due, heldBack] of dry) {
      outlook.ranDry(queue - 1, now, { limited, due, heldBack: heldBack === 1 });
      if (due === 0) heard.delete(queue - 1);
      else heard.set(queue - 1, due);
    }
    if (broken !== null) {
      context.onTrouble?.(broken);
      // Redis is full, say: the others are not asked again at once either.
      names.forEach((_, index) => outlook.ranDry(index, now, { heldBack: true }));
    }
    return { deliveries, settled: settled.map((code) => settledAs(code, repeated)) };
  }

  async function ring(): Promise<void> {
    const now = Date.now();
    const wait = Math.min(longestRing, outlook.nextLook(now) - now);
    if (wait <= 0) return;
    const listening = markers.filter((_, index) => !outlook.isResting(index, now));
    const reply = await listen(listening, wait);
    if (reply === null) return;
    const index = markers.indexOf(reply[0]);
    const due = Number(reply[2]);
    heard.set(index, due);
    outlook.rang(index, due);
  }

  /** The next marker of `listening`; `null` after `wait` ms, or when the connection was lost: what that one heard, nobody was told, so any may have been missed. */
  async function listen(listening: readonly string[], wait: number): Promise<readonly [string, string, string] | null> {
    if (listening.length === 0) return pause(wait, null);
    try {
      return await bell.run({ action: "no waiting for tasks", deadline: wait + deadline }, async (client, repeated) => {
        if (!repeated) return client.bzpopmin(...listening, Math.max(wait / 1000, 0.01));
        outlook.doubt();
        return null;
      });
    } catch (error) {
      outlook.doubt();
      throw error;
    }
  }

  async function passOn(): Promise<void> {
    if (heard.size === 0) return;
    const passed = [...heard];
    heard.clear();
    const now = Date.now();
    try {
      await commands.run({ action: "what was heard was not passed on", deadline }, (client) =>
        // NX: a message that is due before may have come since.
        Promise.all(passed.map(([index, due]) => client.zadd(markers[index] as string, "NX", ...(due <= now ? [0, "0"] : [due, "1"])))),
      );
    } catch (error) {
      for (const [index, due] of passed) if (!heard.has(index)) heard.set(index, due);
      throw error;
    }
  }

  async function renew(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const chunks = Array.from({ length: Math.ceil(deliveries.length / mostRenewed) }, (_, index) =>
      deliveries.slice(index * mostRenewed, (index + 1) * mostRenewed),
    );
    return (await Promise.all(chunks.map(renewChunk))).flat();
  }

  async function renewChunk(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const args = deliveries.flatMap(({ queue, id, token }) => [names.indexOf(queue) + 1, id, token]);
    const replies = await commands.run({ action: `${deliveries.length} leases were not renewed`, deadline }, (client) =>
      runScript(client, scripts.renew, prefixes, [lease, ...args]),
    );
    return deliveries.filter((_, index) => (replies as number[])[index] === 0);
  }

  async function recover(): Promise<number> {
    const reply = await commands.run({ action: "queues were not scanned for lost tasks", deadline }, (client) =>
      runScript(client, scripts.recover, prefixes, [Date.now(), Math.round(lease / 3)]),
    );
    return reply as number;
  }

  async function close(): Promise<void> {
    bell.close();
    commands.close();
  }

  return {
    open,
    exchange,
    ring,
    mute: () => bell.close(),
    passOn,
    mayTake: () => outlook.mayTake(Date.now()),
    rest: (queue, pause) => outlook.rest(names.indexOf(queue), Date.now() + pause),
    renew,
    recover,
    close,
  };
}

type ExchangeReply = readonly [
  settled: readonly (number | string)[],
  taken: readonly (readonly [
    queue: number,
    id: string,
    name: string | null,
    text: string | null,
    priority: string | null,
    count: number,
    token: string,
  ])[],
  dry: readonly (readonly [queue: number, limited: number, due: number, heldBack: number])[],
  broken: string | null,
];

function settledAs(code: number | string, repeated: boolean): Settled {
  if (typeof code === "string") return "again";
  return code === 0 || repeated ? "settled" : "lost";
}

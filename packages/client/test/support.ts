import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { encodeRecord, type Delivery, type Message, type Outcome, type TaskRecord } from "@bullrush/broker";
import { expect, inject, onTestFinished } from "vitest";
import { eventually } from "../../../integration/lib/eventually.js";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { createApp, type App, type AppOptions, type AsyncResult } from "../src/index.js";
import { redis } from "./redis.js";

/** An app on the Redis of the run, with a key prefix of its own, closed when the test has ended. */
export function testApp(options: AppOptions = {}): App {
  const app = createApp({ broker: inject("redisUrl"), prefix: `client-${randomUUID()}`, ...options });
  onTestFinished(() => app.close());
  return app;
}

/** An error with this code and at least these details. */
export function failing(code: string, details: object = {}): unknown {
  return expect.objectContaining({ code, details: expect.objectContaining(details) });
}

/** What `act` throws. */
export function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** The message of a delivery. */
export function messageOf({ content }: Delivery): Message {
  if (content.type !== "message") throw new Error(`the delivery holds a message that is ${content.type}`);
  return content.message;
}

export interface Taken {
  readonly delivery: Delivery;
  readonly message: Message;
  /**
   * Stores the record of the task's end, notifies its sender, and settles the delivery, as a worker
   * does.
   */
  end(outcome: Outcome, record: Partial<TaskRecord>): Promise<void>;
}

/** Takes the next message of `queue`, which has to be there. */
export async function take(app: App, queue = "default"): Promise<Taken> {
  const consumer = app.engine.consume({ queues: [{ name: queue }], order: "strict", lease: 15_000, worker: "w1" });
  onTestFinished(() => consumer.close());
  await consumer.open();
  const { deliveries } = await consumer.settleAndTake({ settle: [], take: 1 });
  const [delivery] = deliveries;
  if (delivery === undefined) throw new Error(`queue "${queue}" holds nothing that can be taken`);
  const message = messageOf(delivery);
  const end = async (outcome: Outcome, record: Partial<TaskRecord>) => {
    const store = storeOf({ id: message.id, replyTo: message.replyTo }, { task: message.task, delivery: delivery.number, ...record });
    const { settled } = await consumer.settleAndTake({ settle: [{ delivery, outcome, store }], take: 0 });
    expect(settled).toEqual(["settled"]);
  };
  return { delivery, message, end };
}

/** Stores the record of a task and, with `replyTo`, notifies its clients. */
export async function store(
  app: App,
  task: { readonly id: string; readonly replyTo?: string },
  record: Partial<TaskRecord>,
): Promise<void> {
  expect(await app.engine.results.store([storeOf(task, record)])).toEqual(["stored"]);
}

function storeOf({ id, replyTo }: { readonly id: string; readonly replyTo?: string | undefined }, record: Partial<TaskRecord>) {
  const { result, meta, ...facts } = record;
  const encoded = encodeRecord({
    state: "SUCCESS",
    delivery: 1,
    worker: "w1",
    attempt: 1,
    ...facts,
    ...(result !== undefined && { resultText: JSON.stringify(result) }),
    ...(meta !== undefined && { metaText: JSON.stringify(meta) }),
  });
  return { id, delivery: facts.delivery ?? 1, expires: 60_000, record: encoded, ...(replyTo !== undefined && { replyTo }) };
}

/** The value of `act`, and its duration in ms. */
export async function timed<T>(act: () => Promise<T>): Promise<{ readonly value: T; readonly took: number }> {
  const started = performance.now();
  const value = await act();
  return { value, took: performance.now() - started };
}

/** A gate that is closed until it is opened, and counts who waits. */
export function door() {
  let open: (value: undefined) => void = () => {};
  const opened = new Promise<undefined>((resolve) => (open = resolve));
  let came = 0;
  return {
    pass: () => (came++, opened),
    open: () => open(undefined),
    somebody: () => eventually("somebody has come to the door", () => came > 0),
    came: () => came,
  };
}

/** The error that `promise` rejects with. */
export async function rejected(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error("it did not reject");
    },
    (error: unknown) => error,
  );
}

/** How many connections of the Redis at `url` are subscribed to the results of `app`. */
export async function subscriptionsOf(url: string, app: App): Promise<unknown> {
  const reply = await redis(url, "PUBSUB", "NUMSUB", app.engine.results.replyChannel);
  return Array.isArray(reply) ? reply[1] : reply;
}

/**
 * Starts to wait for the result of a call, and returns its promise once `app` is subscribed to
 * results.
 */
export async function waiting(url: string, app: App, re: AsyncResult): Promise<{ readonly get: Promise<unknown> }> {
  const get = re.get({ timeout: hangTimeout });
  get.catch(() => undefined);
  await eventually("the results are subscribed to", async () => (await subscriptionsOf(url, app)) === 1);
  return { get };
}

/** A way to the Redis at `url` that can be blocked. */
export interface Gate {
  readonly url: string;
  /** From now on nothing comes through, in either direction, and no connection ends. */
  block(): void;
  /** Ends all connections; new ones come through. */
  cut(): void;
}

/** Opens a gate to the Redis at `url`; it is closed when the test has ended. */
export async function openGate(url: string): Promise<Gate> {
  const far = new URL(url);
  const sockets = new Set<Socket>();
  let blocked = false;
  const server = createServer((near) => {
    const other = connect(Number(far.port || 6379), far.hostname);
    for (const [from, to] of [
      [near, other],
      [other, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (data) => void (blocked || to.write(data)));
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    cut();
    server.close();
    await once(server, "close");
  });
  const gate = new URL(url);
  gate.hostname = "127.0.0.1";
  gate.port = String(portOf(server));
  return { url: gate.href, block: () => void (blocked = true), cut };
}

/** The URL of a port on which nobody listens, and which no test uses for a server. */
export const deadUrl = "redis://127.0.0.1:1";

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

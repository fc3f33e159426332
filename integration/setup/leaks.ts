import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll } from "vitest";
import { killPrograms } from "../lib/program.js";
import { killServers } from "../lib/server.js";

/** Handles that keep a process alive and do not end by themselves. */
const kinds = ["Timeout", "TCPSocketWrap", "TCPServerWrap", "PipeWrap", "ProcessWrap", "MessagePort", "FSEventWrap", "SignalWrap"] as const;

const before = count();

/**
 * The sockets that this file has opened and not closed. Idle sockets of an app keep no process
 * alive, so Node does not count them.
 */
const sockets = new Set<Socket>();

function note(message: unknown): void {
  const { socket } = message as { readonly socket: Socket };
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
}

subscribe("net.client.socket", note);

// Hooks run last declared first: this one comes after all of the test file's own.
afterAll(async () => {
  // ioredis gives a Redis 2 s to hang up, and a busy machine takes longer.
  const deadline = Date.now() + 10_000;
  for (;;) {
    const now = count();
    const left = kinds.filter((kind) => now[kind] > before[kind]).map((kind) => `${now[kind] - before[kind]} ${kind}`);
    if (sockets.size > 0) left.push(`${sockets.size} sockets`);
    if (left.length === 0) break;
    if (Date.now() > deadline) throw new Error(`this file leaves open: ${left.join(", ")} (connections, servers, timers, processes)`);
    await sleep(20, undefined, { ref: false });
  }
  unsubscribe("net.client.socket", note);
});

// First, and with more time: a program has ended when nothing that it started holds its output.
afterAll(async () => {
  await Promise.all([killPrograms(), killServers()]);
});

function count(): Record<(typeof kinds)[number], number> {
  const active = process.getActiveResourcesInfo();
  const entries = kinds.map((kind) => [kind, active.filter((name) => name === kind).length]);
  return Object.fromEntries(entries) as Record<(typeof kinds)[number], number>;
}

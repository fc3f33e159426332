import type { Redis } from "ioredis";

/**
 * A connection. The client is loaded here and not by whoever imports this, so that a worker's
 * memory is its own.
 */
export async function connect(url: string): Promise<Redis> {
  const { Redis } = await import("ioredis");
  return new Redis(url);
}

/** CPU that the server has used so far, in µs. */
export async function cpuOf(redis: Redis): Promise<number> {
  const usage = await redis.info("cpu");
  return (figure(usage, "used_cpu_user") + figure(usage, "used_cpu_sys")) * 1e6;
}

/** Memory that it takes, without the buffers of connections, which come and go, in bytes. */
export async function memoryOf(redis: Redis): Promise<number> {
  const usage = await redis.info("memory");
  return figure(usage, "used_memory") - figure(usage, "mem_clients_normal");
}

function figure(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1]);
}

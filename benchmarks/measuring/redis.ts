import type { Redis } from "ioredis";

/**
 * Opens a connection. The client is loaded here, so that importing this module does not add to a
 * worker's memory.
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

/** The memory of the server in bytes, without the buffers of connections, which vary. */
export async function memoryOf(redis: Redis): Promise<number> {
  const usage = await redis.info("memory");
  return figure(usage, "used_memory") - figure(usage, "mem_clients_normal");
}

function figure(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1]);
}

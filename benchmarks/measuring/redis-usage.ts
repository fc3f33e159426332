import type { Redis } from "ioredis";

/** CPU that the server has used so far, in µs. */
export async function cpuOf(redis: Redis): Promise<number> {
  const usage = await redis.info("cpu");
  return (figure(usage, "used_cpu_user") + figure(usage, "used_cpu_sys")) * 1e6;
}

/** Memory that its data takes, in bytes. */
export async function memoryOf(redis: Redis): Promise<number> {
  return figure(await redis.info("memory"), "used_memory");
}

function figure(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1]);
}

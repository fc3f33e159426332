import { scriptAt, type Script } from "../redis/script.js";

/** The script `lua/bullmq/<name>.lua`, with the scripts of BullMQ that it requires. A program that runs none with such parts, as most that only send tasks, never loads them. */
export function engineScript(name: string): Script {
  return scriptAt(`bullmq/${name}`, async () => (await import("./engine-parts.js")).engineParts);
}

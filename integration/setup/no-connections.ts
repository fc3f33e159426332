import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll } from "vitest";

let opened = 0;
const count = () => void opened++;

subscribe("net.client.socket", count);

afterAll(() => {
  unsubscribe("net.client.socket", count);
  if (opened > 0) throw new Error(`this file opens ${opened} connections: name it *.redis.test.ts, or leave them out`);
});

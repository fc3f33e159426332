import { open, url, waitForDebugger } from "node:inspector";
import { BullrushError } from "@bullrush/broker";
import { InvalidArgumentError } from "commander";

/** Where debuggers may attach. */
export interface DebugAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads `host:port`, `port` or `host`, as Node's own flag does; what is left out is `127.0.0.1` and 9229. Port 0 is any that is free. */
export function debugAddress(text: string): DebugAddress {
  const written = /^\d+$/.test(text) ? `:${text}` : text;
  const [match, bracketed, plain, port = "9229"] = /^(?:\[([\da-fA-F:.]+)\]|([^\s:[\]]+))?(?::(\d+))?$/.exec(written) ?? [];
  if (!match || Number(port) > 65_535) {
    throw new InvalidArgumentError("It has to be a port, a host, or both, such as 127.0.0.1:9229.");
  }
  return { host: bracketed ?? plain ?? "127.0.0.1", port: Number(port) };
}

/** Lets debuggers attach to this process, unless they can already, and with `wait` stands still until one has. Node writes the URL to stderr. Throws `WORKER_USAGE` if the address cannot be had. */
export function openDebugger({ host, port }: DebugAddress, wait: boolean): void {
  if (url() === undefined) open(port, host);
  if (url() === undefined)
    throw new BullrushError("WORKER_USAGE", { reason: `--inspect: ${host}:${port} cannot be listened on; is the port taken?` });
  if (wait) waitForDebugger();
}

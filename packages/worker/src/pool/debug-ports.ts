import { url } from "node:inspector";

/** A port for the debugger of one process. */
export interface DebugPort {
  /** Host and port, as Node's flag takes them. */
  readonly address: string;
  readonly release: () => void;
}

/** The ports above that of this process: each is lent to one process at a time, the lowest first. */
export class DebugPorts {
  readonly #host: string;
  readonly #first: number;
  readonly #lent = new Set<number>();

  constructor(host: string, first: number) {
    this.#host = host;
    this.#first = first;
  }

  /** `undefined` when there are no more. */
  take(): DebugPort | undefined {
    let port = this.#first;
    while (this.#lent.has(port)) port++;
    if (port > 65_535) return undefined;
    this.#lent.add(port);
    return { address: `${this.#host}:${port}`, release: () => void this.#lent.delete(port) };
  }
}

/** The ports for a pool of processes, if debuggers may attach to this one, and `wanted` is not `false`. Default: if Node was started with `--inspect`. */
export function debugPorts(wanted = process.execArgv.some((flag) => flag.startsWith("--inspect"))): DebugPorts | undefined {
  const own = url();
  if (!wanted || own === undefined) return undefined;
  const { hostname, port } = new URL(own);
  return new DebugPorts(hostname, Number(port) + 1);
}

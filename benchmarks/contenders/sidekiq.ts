import type { Contender } from "./contender.js";
import { countResults, program } from "./program.js";

/**
 * Sidekiq with ten threads. It stores no results, so its jobs store theirs, with one command each.
 */
export function sidekiq(): Contender {
  return program({
    id: "sidekiq",
    name: "Sidekiq, 10 threads",
    share: 0.5,
    version: ["ruby", "-e", "require 'sidekiq'; puts Sidekiq::VERSION"],
    install: "apt install ruby-sidekiq",
    client: ["ruby", "sidekiq_bench.rb"],
    worker: ["sidekiq", "--require", "./sidekiq_bench.rb", "--queue", "bench", "--concurrency", "10", "--environment", "production"],
    waitingKey: "queue:bench",
    done: countResults,
  });
}

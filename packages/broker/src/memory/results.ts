import { replyChannel } from "../protocol/reply-channel.js";
import type { Results } from "../ports/results.js";
import { counted } from "../words.js";
import type { Access } from "./access.js";
import type { ResultTable } from "./result-table.js";

/**
 * The results of a space.
 * @param client names the reply channel of this engine; no other engine has it
 */
export function memoryResults(table: ResultTable, access: Access, client: string): Results {
  const ownChannel = replyChannel(client);
  const missed = (count: number, what: string) => `${counted(count, "result was", "results were")} not ${what}`;
  return {
    replyChannel: ownChannel,
    open: () => access.results("it was not opened", () => undefined),
    store: (records) => access.results(missed(records.length, "stored"), () => records.map((record) => table.store(record))),
    claim: (claims) =>
      access.results(`${counted(claims.length, "task was", "tasks were")} not claimed`, () => claims.map((claim) => table.claim(claim))),
    unclaim: (id, delivery) => access.results(`the claim of task ${id} was not removed`, () => table.unclaim(id, delivery)),
    read: (ids) => access.results(missed(ids.length, "read"), () => ids.map((id) => table.read(id))),
    forget: (ids) => access.results(missed(ids.length, "forgotten"), () => ids.forEach((id) => table.forget(id))),
    saveGroup: (id, text, expires) => access.results("a group was not saved", () => table.saveGroup(id, text, expires)),
    readGroup: (id) => access.results("a group was not read", () => table.readGroup(id)),
    forgetGroup: (id) => access.results("a group was not forgotten", () => table.forgetGroup(id)),
    subscribe: (listener) =>
      access.results("results were not subscribed to", () => table.channel(ownChannel).subscribe(({ id, record }) => listener(id, record))),
    close: async () => {
      access.close();
      table.closeChannel(ownChannel);
    },
  };
}

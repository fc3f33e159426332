import { newId } from "../../src/id.js";
import type { Results } from "../../src/ports/results.js";
import type { TaskRecord } from "../../src/protocol/record.js";

/** A result backend with what the tests do with it all the time. */
export interface Desk {
  readonly backend: Results;
  /** A further client, with connections of its own. */
  client(): Results;
  /** The id of a new task; its record is removed with the desk. */
  task(): string;
  recordOf(id: string): Promise<TaskRecord | undefined>;
  close(): Promise<void>;
}

export function deskAt(open: () => Results): Desk {
  const clients: Results[] = [];
  const ids: string[] = [];

  function client(): Results {
    const opened = open();
    clients.push(opened);
    return opened;
  }

  const backend = client();
  return {
    backend,
    client,
    task: () => {
      const id = newId();
      ids.push(id);
      return id;
    },
    recordOf: async (id) => (await backend.read([id]))[0],
    close: async () => {
      await backend.forget(ids);
      await Promise.all(clients.map((each) => each.close()));
    },
  };
}

import { newId } from "../id.js";
import type { ControlBus, ControlCommand } from "../ports/control-bus.js";
import { nameLifetime } from "../ports/workers.js";
import { equal, matches } from "./assertions.js";
import type { Suite } from "./suite.js";

function commandOf(reason: string, terminate = false): ControlCommand {
  return { type: "revoke", ids: [newId()], reason, terminate };
}

async function listen(bus: ControlBus): Promise<{ readonly heard: readonly ControlCommand[]; readonly stop: () => void }> {
  const heard: ControlCommand[] = [];
  return { heard, stop: await bus.subscribe((command) => void heard.push(command)) };
}

const one = { host: "a", pid: 1, startedAt: 1000 };
const two = { host: "b", pid: 2, startedAt: 2000 };

export function describeControl({ describe, test }: Suite): void {
  describe("a command", () => {
    test("for all who listen: each hears it, in order, until it stops", async (stage) => {
      const [first, second] = [await listen(stage.engine.control), await listen(stage.other.control)];
      const commands = [commandOf("a"), commandOf("b"), commandOf('"€\n😀', true)];
      for (const command of commands) await stage.engine.control.publish(command);
      await stage.eventually("all commands", () => first.heard.length >= 3 && second.heard.length >= 3);
      equal([first.heard, second.heard], [commands, commands]);
      first.stop();
      await stage.other.control.publish(commandOf("c"));
      await stage.eventually("the last", () => second.heard.length === 4);
      equal(first.heard.length, 3);
    });

    test("for nobody: it is no error", async (stage) => {
      await stage.engine.control.publish(commandOf("nobody listens"));
    });
  });

  describe("the name of a worker", () => {
    test("that two ask for: the first has it and keeps it, and the other hears whose it is", async (stage) => {
      const names = stage.engine.workers;
      equal(await names.claim("first", "t1", one), undefined);
      matches(await stage.other.workers.claim("first", "t2", two), one);
      equal(await names.claim("first", "t1", one), undefined);
      equal(await names.claim("other", "t2", two), undefined);
    });

    test("that many ask for at once: one gets it", async (stage) => {
      const engines = [stage.engine, stage.other];
      const asked = Array.from({ length: 10 }, (_, pid) =>
        engines.map(({ workers }, at) => workers.claim("many", `t${pid}-${at}`, { ...one, pid })),
      );
      const answers = await Promise.all(asked.flat());
      equal(answers.filter((answer) => answer === undefined).length, 1);
    });

    test("that is given up: it is free again if its holder gave it up", async (stage) => {
      const { workers } = stage.engine;
      await workers.claim("free", "t1", one);
      await workers.release("free", "t2");
      matches(await workers.claim("free", "t2", two), one);
      await workers.release("free", "t1");
      equal(await workers.claim("free", "t2", two), undefined);
      equal(nameLifetime >= 1000, true);
    });
  });
}

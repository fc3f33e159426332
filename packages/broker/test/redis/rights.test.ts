import { describe, expect, test } from "vitest";
import { refusalIn } from "../../src/redis/refusal.js";
import { missingRights, namingCommand } from "../../src/redis/rights.js";

const lua = [
  "local call = redis.call",
  'call("LPUSH", KEYS[1], 1)',
  'local a, b = rcall("ZADD", 1), rcall("XADD", 2)',
  "call(name, 1)",
].join("\n");

/** As Redis says it of a script: 6.2, 7.0, 7.2. */
const inScript = (line: number) => [
  `ERR Error running script (call to f_12ab): @user_script:${line}: -NOPERM The user executing the script can't run this command or subcommand`,
  `ERR The user executing the script can't run this command or subcommand script: 12ab, on @user_script:${line}.`,
  `NOPERM ACL failure in script: User ann has no permissions to run the 'lpush' command script: 12ab, on @user_script:${line}.`,
];

const commandIn = (reply: string) => refusalIn(namingCommand(reply, lua)).command;

describe("a command that was refused in a script", () => {
  test.each(inScript(2))("is named: %s", (reply) => {
    expect(commandIn(reply)).toBe("lpush");
  });

  test("on a line with two commands: both are named", () => {
    expect(commandIn(inScript(3)[1] ?? "")).toBe("zadd or xadd");
  });

  test.each([1, 4, 99])("on line %i, which names none: none is named", (line) => {
    expect(commandIn(inScript(line)[1] ?? "")).toBeUndefined();
  });

  test.each([
    "ERR unknown command 'NOPERM'",
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "OOM command not allowed",
    "NOPERM No permissions to access a key",
  ])("is not what this says, and it stays as it is: %s", (reply) => {
    expect(namingCommand(reply, lua)).toBe(reply);
  });
});

test("many commands that are missing: twelve are named", () => {
  const commands = Array.from({ length: 20 }, (_, index) => `c${index}`);
  expect(missingRights(commands)).toMatchObject({ code: "command-denied", command: commands.slice(0, 12).join(", ") });
});

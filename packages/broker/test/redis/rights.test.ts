import { describe, expect, test } from "vitest";
import { deniedCommand, namingCommand, saysDenied } from "../../src/redis/rights.js";

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

describe("a missing right", () => {
  test.each([
    ...inScript(2),
    "NOPERM this user has no permissions to run the 'evalsha' command or its subcommand",
    "NOPERM User ann has no permissions to run the 'evalsha' command",
    "NOPERM No permissions to access a key",
    "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments script: 12ab, on @user_script:2.",
    "ERR The user executing the script can't publish to the channel mentioned in the command script: 12ab, on @user_script:2.",
  ])("is known: %s", (reply) => {
    expect(saysDenied(reply)).toBe(true);
  });

  test.each([
    "ERR unknown command 'NOPERM'",
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "OOM command not allowed",
  ])("is not what it is: %s", (reply) => {
    expect(saysDenied(reply)).toBe(false);
    expect(namingCommand(reply, lua)).toBe(reply);
  });

  test.each(inScript(2))("names its command: %s", (reply) => {
    expect(deniedCommand(namingCommand(reply, lua))).toBe("lpush");
  });

  test("names both commands of a line, and none that is not written there", () => {
    const [, reply = ""] = inScript(3);
    expect(deniedCommand(namingCommand(reply, lua))).toBe("zadd or xadd");
    for (const line of [1, 4, 99]) expect(deniedCommand(namingCommand(inScript(line)[1] ?? "", lua))).toBeUndefined();
  });
});

/** The globals that compiled Lua reads, and those that it sets. */
export interface LuaGlobals {
  readonly read: ReadonlySet<string>;
  readonly set: ReadonlySet<string>;
}

const opcodes = { getGlobal: 5, setGlobal: 7 };
const constants = { nil: 0, boolean: 1, number: 3, string: 4 };

/** `chunk`: what `string.dump` of Lua 5.1 returns, on a little-endian machine. */
export function globalsOf(chunk: Buffer): LuaGlobals {
  const globals = { read: new Set<string>(), set: new Set<string>() };
  const sizeOfSize = chunk.readUInt8(8);
  let at = 12;

  function byte(): number {
    at += 1;
    return chunk.readUInt8(at - 1);
  }

  function int(): number {
    at += 4;
    return chunk.readInt32LE(at - 4);
  }

  function text(): string {
    const length = chunk.readUIntLE(at, Math.min(sizeOfSize, 6));
    at += sizeOfSize + length;
    return chunk.toString("latin1", at - length, Math.max(at - length, at - 1));
  }

  function constant(): string | undefined {
    const type = byte();
    if (type === constants.string) return text();
    if (type === constants.number) at += 8;
    else if (type === constants.boolean) at += 1;
    return undefined;
  }

  function list<Item>(read: () => Item): readonly Item[] {
    return Array.from({ length: int() }, read);
  }

  function readFunction(): void {
    text();
    at += 12;
    const code = list(int);
    const known = list(constant);
    for (const instruction of code) {
      const opcode = instruction & 0x3f;
      const name = known[instruction >>> 14] ?? "";
      if (opcode === opcodes.getGlobal) globals.read.add(name);
      else if (opcode === opcodes.setGlobal) globals.set.add(name);
    }
    list(readFunction);
    list(int);
    list(() => [text(), int(), int()]);
    list(text);
  }

  readFunction();
  return globals;
}

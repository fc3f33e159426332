import { inspect } from "node:util";
import { clip } from "@bullrush/broker";
import type { CanvasNode } from "./node.js";

/** Maximum length in characters: of one argument, and of the whole text. */
const most = { argument: 60, all: 4096 };

const argument = { depth: 2, breakLength: Infinity, compact: true, maxArrayLength: 20, maxStringLength: most.argument } as const;

/**
 * Formats a canvas for people, such as `chain(tasks.add(1, 2), tasks.double())`. Long arguments and
 * long canvases are clipped; options and links are left out.
 */
export function printed(node: CanvasNode): string {
  return write(node, { left: most.all });
}

/** How many characters may still be written. */
interface Room {
  left: number;
}

function write(node: CanvasNode, room: Room): string {
  switch (node.type) {
    case "call":
      return node.each === true
        ? called("chunk", [() => node.task, ...node.args.map(writerOf)], room)
        : called(node.task, node.args.map(writerOf), room);
    case "chain":
      return called("chain", node.steps.map(part), room);
    case "group":
      return called("group", node.members.map(part), room);
    case "chord":
      return called("chord", [node.header, node.body].map(part), room);
  }
}

type Write = (room: Room) => string;

function part(node: CanvasNode): Write {
  return (room) => write(node, room);
}

function writerOf(value: unknown): Write {
  return (room) => {
    const text = shown(value);
    room.left -= text.length;
    return text;
  };
}

function called(name: string, parts: readonly Write[], room: Room): string {
  const texts: string[] = [];
  room.left -= name.length;
  for (const one of parts) {
    if (room.left <= 0) {
      texts.push("…");
      break;
    }
    texts.push(one(room));
    room.left -= 2;
  }
  return `${name}(${texts.join(", ")})`;
}

function shown(value: unknown): string {
  return clip(inspect(value, argument), most.argument);
}

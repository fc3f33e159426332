/** A line of a stack that names a place in the code. */
const frame = /^ {4}at /;
/** What stands around a task's function: how Node runs what waits, and how it hands on the task's context. */
const internal = /\bnode:(?:internal\/|async_hooks:)/;
const installed = /[\\/]node_modules[\\/](?:@bullrush[\\/][\w-]+|bullrush)[\\/]/;

/** What JavaScript itself ran, such as `new Promise` or `Array.map`: it belongs to its caller, which is the next line. */
const native = /\(<anonymous>\)$/;

/** `stack` without the frames of Bullrush and of Node's internals; its first line, if there are no others. */
export function userStack(stack: string): string {
  if (!stack.includes("\n")) return stack;
  const kept: string[] = [];
  let isCallerOthers = false;
  for (const line of stack.split("\n").toReversed()) {
    const isFrame = frame.test(line);
    isCallerOthers = isFrame && (native.test(line) ? isCallerOthers : isOthers(line));
    if (!isCallerOthers) kept.push(line);
  }
  return kept.toReversed().join("\n");
}

/** Whether `stack` names a place in the code. */
export function hasFrames(stack: string): boolean {
  return stack.includes("\n    at ");
}

function isOthers(line: string): boolean {
  return internal.test(line) || installed.test(line) || isOurs(line);
}

const packages = /^[\\/](?:broker|client|program|worker|beat)[\\/](?:src|dist)[\\/]/;

function isOurs(line: string): boolean {
  const root = (ownRoot ??= findRoot());
  if (root === "") return false;
  const at = line.indexOf(root);
  return at !== -1 && packages.test(line.slice(at + root.length));
}

let ownRoot: string | undefined;

/**
 * The folder in which the packages of Bullrush lie side by side, as stacks name it; "" if there is none, as in a bundle: there, its frames are in the same file as
 * everybody else's.
 */
function findRoot(): string {
  const [, root = ""] =
    /(?:file:\/\/)?((?:[a-z]:)?[\\/][^():]*)[\\/]broker[\\/](?:src|dist)[\\/]protocol[\\/]stack-frames\.[jt]s/i.exec(
      new Error("here").stack ?? "",
    ) ?? [];
  return root;
}

import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "./eventually.js";

const run = promisify(execFile);

/** Whether this machine has tmux, for the terminals of `openScreen`. */
export const hasScreens = (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "tmux")));

/**
 * A terminal in which a command runs. It stays after the command's end, until the end of
 * `await using`.
 */
export interface Screen extends AsyncDisposable {
  /** The text of the terminal, its history included; with `colours` also the escapes. */
  shown(options?: { readonly colours?: boolean }): Promise<string>;
  /** Resolves to the text as soon as it matches. */
  waitFor(pattern: RegExp): Promise<string>;
  /** Presses keys, in tmux's words: `y`, `Enter`, `C-c`. */
  press(...keys: readonly string[]): Promise<void>;
  /** Resolves to the exit code of the command. */
  ended(): Promise<number>;
}

export interface ScreenOptions {
  readonly columns: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Opens a terminal of `columns` that runs `command`. */
export async function openScreen(command: readonly string[], { columns, env = {} }: ScreenOptions): Promise<Screen> {
  const socket = `bullrush-${randomUUID()}`;
  const tmux = async (...args: readonly string[]) => (await run("tmux", ["-L", socket, "-f", "/dev/null", ...args])).stdout;
  const variables = Object.entries({ TERM: "xterm-256color", ...env }).map(([name, value]) => `${name}=${value}`);
  const clean = ["NO_COLOR", "FORCE_COLOR", "NODE_OPTIONS", "VITEST"].flatMap((name) => ["-u", name]);
  // Set before the command ends: it may be quick.
  await tmux(
    ...["new-session", "-d", "-x", String(columns), "-y", "50", "sleep 600", ";", "set", "-g", "remain-on-exit", "on", ";"],
    ...[
      "set",
      "-g",
      "history-limit",
      "10000",
      ";",
      "respawn-pane",
      "-k",
      `trap : INT; ${quoted(["env", ...clean, ...variables, ...command])}; echo "[ended with $?]"`,
    ],
  );
  const shown: Screen["shown"] = ({ colours = false } = {}) => tmux("capture-pane", "-p", "-J", "-S", "-", ...(colours ? ["-e"] : []));
  return {
    shown,
    waitFor: async (pattern) => {
      let text = "";
      await eventually(`the terminal shows ${String(pattern)}`, async () => pattern.test((text = await shown()))).catch((error: Error) => {
        throw new Error(`${error.message}:\n${text}`);
      });
      return text;
    },
    press: async (...keys) => void (await tmux("send-keys", ...keys)),
    ended: async () => {
      let code: string | undefined;
      // The shell prints the exit code: on a busy machine tmux may never report it.
      await eventually("the command has ended", async () => (code = /^\[ended with (\d+)\]$/m.exec(await shown())?.[1]) !== undefined);
      return Number(code);
    },
    [Symbol.asyncDispose]: async () => void (await tmux("kill-server").catch(() => undefined)),
  };
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

import { existsSync } from "node:fs";

/** Debian's Python, which sees what apt installs, before any other on PATH. */
export const python = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";

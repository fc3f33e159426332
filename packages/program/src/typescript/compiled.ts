/** A module in JavaScript, with the way back to its lines in TypeScript at its end. */
export interface Compiled {
  readonly format: "module" | "commonjs";
  readonly code: string;
  /** Whether it is CommonJS that was written as a module of ES: its exports are what they are by name, the default too. */
  readonly translated: boolean;
}

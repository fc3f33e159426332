/** A module in JavaScript, with an inline source map. */
export interface Compiled {
  readonly format: "module" | "commonjs";
  readonly code: string;
  /**
   * Whether it is CommonJS from ES module syntax: its named exports and its default export are then
   * those of the source.
   */
  readonly translated: boolean;
}

/** What the broker keeps of flows. */
export interface Kept {
  keys(): Promise<readonly string[]>;
  /** The fields of a hash, by what its key ends with. */
  hash(end: string): Promise<Readonly<Record<string, string>>>;
}

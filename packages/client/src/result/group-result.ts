import type { AsyncResult, ResultSource } from "./async-result.js";

/** The handle on the results of a group. */
export class GroupResult<Results extends readonly unknown[] = readonly unknown[]> {
  readonly id: string;
  readonly results: readonly (AsyncResult | GroupResult)[];
  readonly parent: AsyncResult | GroupResult | undefined;

  /** @internal */
  constructor(
    _source: () => ResultSource,
    {
      id,
      results,
      parent,
    }: {
      readonly id: string;
      readonly results: readonly (AsyncResult | GroupResult)[];
      readonly flow?: string | undefined;
      readonly parent?: AsyncResult | GroupResult | undefined;
    },
  ) {
    this.id = id;
    this.results = results;
    this.parent = parent;
  }

  async get(): Promise<Results> {
    return (await Promise.all(this.results.map((result) => result.get()))) as unknown as Results;
  }
}

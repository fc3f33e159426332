import { Reports } from "./reports.js";

/** Most tasks sent by one run that are remembered. */
const mostChildren = 1000;

/** What a run leaves besides its outcome. What few tasks leave is made when it is first needed. */
export class RunTrace {
  #children: string[] | undefined;
  #reports: Reports | undefined;
  #ended = false;

  /** Ids of the first thousand tasks that it has sent, if any. */
  get children(): readonly string[] | undefined {
    return this.#children;
  }

  addChildren(ids: readonly string[]): void {
    const children = (this.#children ??= []);
    children.push(...ids.slice(0, mostChildren - children.length));
  }

  /** Has `store` called for a report of the task, at once or later, unless another one follows before. As `Reports.add`. */
  report(state: string, store: () => Promise<void>): Promise<void> {
    return this.#ended ? Promise.resolve() : (this.#reports ??= new Reports()).add(state, store);
  }

  /** No report is stored from now on. Resolves when what is being stored is. */
  end(): Promise<void> | undefined {
    this.#ended = true;
    return this.#reports?.end();
  }
}

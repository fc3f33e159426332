import { chain, chord, group, type AnyCanvas, type App, type AsyncResult, type Canvas, type GroupResult } from "@bullrush/client";

/**
 * What the canvases of the rows are made of. Tasks: `ok` comes to 1, `no` and `nay` fail, `sum`
 * takes what it gets.
 */
export interface Parts {
  readonly ok: Free;
  readonly no: Free;
  readonly nay: Free;
  readonly sum: Free;
  /** As `ok`, due in an hour. */
  readonly late: Free;
  /** Asks for a chain whose second step fails to run in its place. */
  readonly swap: Free;
  /** Asks for a chord with a failing header to run in its place. */
  readonly swapChord: Free;
  /** A link that notes its label, and the task of the `FailureInfo` that it gets. */
  note(label: string): Free;
}

export type Free = Canvas<unknown, [value?: unknown]> & {
  link(next: Free | readonly Free[]): Free;
  onError(next: Free | readonly Free[]): Free;
  set(options: object): Free;
  delay(): Promise<AsyncResult | GroupResult>;
  applyAsync(options: object): Promise<AsyncResult | GroupResult>;
};

export interface Row {
  readonly name: string;
  readonly canvas: (parts: Parts) => Free;
  /** Options of `applyAsync`. */
  readonly options?: (parts: Parts) => object;
  /** Whether its handle is revoked at once, or that of its first step. */
  readonly revoke?: "all" | "first";
  /** What is noted: label, and ":" and the task named, of an error link. */
  readonly noted: readonly string[];
  /** What Celery does, by its code: "same", or what differs, as docs/guide/canvas.md says. */
  readonly celery: string;
}

export function partsOf(app: App, row: number): Parts {
  const call = (name: string, ...args: unknown[]) => app.stub(name).s(...args) as unknown as Free;
  return {
    ok: call("ok"),
    no: call("no"),
    nay: call("nay"),
    sum: call("sum"),
    late: call("ok").set({ countdown: "1h" }),
    swap: call("swap"),
    swapChord: call("swapChord"),
    note: (label) => app.stub("note").s(row, label) as unknown as Free,
  };
}

const c = (...steps: readonly Free[]): Free => chain(...(steps as readonly AnyCanvas[] as never[])) as unknown as Free;
const g = (...members: readonly Free[]): Free => group(members as readonly AnyCanvas[]) as unknown as Free;
const h = (header: readonly Free[], body: Free, onFailure: "fail" | "partial" = "fail"): Free =>
  chord(header as readonly AnyCanvas[], body as never, { onFailure }) as unknown as Free;

const row = (name: string, canvas: Row["canvas"], noted: readonly string[], rest: Partial<Row> = {}): Row => ({
  name,
  canvas,
  noted,
  celery: "same",
  ...rest,
});

const handle = "Celery revokes the task of the handle alone, the last step";

export const rows: readonly Row[] = [
  // Signatures.
  row("a call that fails", ({ no, note }) => no.onError(note("e")), ["e:no"]),
  row("a call that ends well", ({ ok, note }) => ok.onError(note("e")).link(note("l")), ["l"]),
  row("a call that fails, with a link", ({ no, note }) => no.link(note("l")).onError(note("e")), ["e:no"]),
  row("two error links", ({ no, note }) => no.onError([note("e"), note("f")]), ["e:no", "f:no"]),
  row("one error link twice", ({ no, note }) => no.onError(note("e")).onError(note("e")), ["e:no"]),
  row("one link twice", ({ ok, note }) => ok.link([note("l"), note("l")]), ["l"]),
  row("an option and a link", ({ no, note }) => no.onError(note("e")), ["e:no", "f:no"], {
    options: ({ note }) => ({ linkError: note("f") }),
    celery: "apply_async(link_error=) of a signature replaces its own",
  }),
  row("a chain as an error link", ({ no, ok, note }) => no.onError(c(ok, note("e"))), ["e"]),
  row("a group as an error link", ({ no, note }) => no.onError(g(note("e"), note("f"))), ["e:no", "f:no"]),
  row("an error link that fails has its own", ({ no, nay, note }) => no.onError(nay.onError(note("e"))), ["e:nay"]),
  row("a link that fails does not fail its call", ({ ok, no, note }) => ok.link(no).onError(note("e")), []),
  // Chains.
  row("a chain, its first step fails", ({ no, ok, note }) => c(no, ok, ok).onError(note("e")), ["e:no"]),
  row("a chain, its middle step fails", ({ no, ok, note }) => c(ok, no, ok).onError(note("e")), ["e:no"]),
  row("a chain, its last step fails", ({ no, ok, note }) => c(ok, ok, no).onError(note("e")), ["e:no"]),
  row("a chain that ends well", ({ ok, note }) => c(ok, ok).onError(note("e")).link(note("l")), ["l"]),
  row("the link of a chain that fails", ({ ok, no, note }) => c(ok, no).link(note("l")), []),
  row(
    "42 steps with an error link each, the first fails",
    ({ no, ok, note }) => c(no.onError(note("e")), ...Array.from({ length: 41 }, () => ok.onError(note("e")))),
    ["e:no"],
  ),
  row(
    "42 steps with an error link each, the 21st fails",
    ({ no, ok, note }) => c(...Array.from({ length: 42 }, (_, step) => (step === 20 ? no : ok).onError(note(`e${step}`)))),
    ["e20:no"],
  ),
  row("a step's own, and it never ran", ({ no, ok, note }) => c(no, ok.onError(note("e"))), []),
  row("a step's own, and it ended well", ({ no, ok, note }) => c(ok.onError(note("e")), no), []),
  row("a step's own and the chain's", ({ no, ok, note }) => c(no.onError(note("e")), ok).onError(note("f")), ["e:no", "f:no"]),
  row("a later step's own and the chain's", ({ no, ok, note }) => c(no, ok.onError(note("e"))).onError(note("f")), ["f:no"]),
  row("the same of a step and of the chain", ({ no, ok, note }) => c(no.onError(note("e")), ok).onError(note("e")), ["e:no"]),
  row("the same of the last step and of the chain", ({ no, ok, note }) => c(ok, no.onError(note("e"))).onError(note("e")), ["e:no"]),
  row("options of a chain, beside the last step's own", ({ no, ok, note }) => c(ok, no.onError(note("e"))), ["e:no", "f:no"], {
    options: ({ note }) => ({ linkError: note("f") }),
  }),
  row("a link in the options of a chain, beside the last step's own", ({ ok, note }) => c(ok, ok.link(note("l"))), ["l", "m"], {
    options: ({ note }) => ({ link: note("m") }),
  }),
  row("the same link in the options and of the last step", ({ ok, note }) => c(ok, ok.link(note("l"))), ["l"], {
    options: ({ note }) => ({ link: note("l") }),
  }),
  row("a chain within a chain, a step before it fails", ({ no, ok, note }) => c(no, c(ok, ok).onError(note("e")), ok), [], {
    celery: "same",
  }),
  row("a chain within a chain, its first step fails", ({ no, ok, note }) => c(ok, c(no, ok).onError(note("e")), ok), ["e:no"]),
  row("a chain within a chain, a step behind it fails", ({ no, ok, note }) => c(ok, c(ok, ok).onError(note("e")), no), []),
  row("a chain within a chain, both have one", ({ no, ok, note }) => c(c(no, ok).onError(note("e")), ok).onError(note("f")), [
    "e:no",
    "f:no",
  ]),
  row("an empty chain that grew", ({ no, ok, note }) => c(c(c(), no), ok).onError(note("e")), ["e:no"]),
  // Groups.
  row("a group, one of three fails", ({ no, ok, note }) => g(ok, no, ok).onError(note("e")), ["e:no"]),
  row("a group, two of three fail", ({ no, nay, ok, note }) => g(ok, no, nay).onError(note("e")), ["e:nay", "e:no"]),
  row("a group with a link", ({ no, ok, note }) => g(ok, no, ok).link(note("l")), ["l", "l"], { celery: "links the first member alone" }),
  row("a member's own", ({ no, ok, note }) => g(ok.onError(note("e")), no.onError(note("f"))), ["f:no"]),
  row("a member that is a chain", ({ no, ok, note }) => g(c(no, ok), ok).onError(note("e")), ["e:no"]),
  row(
    "behind a step that fails, 50 members with one each",
    ({ no, ok, note }) => c(no, g(...Array.from({ length: 50 }, () => ok)).onError(note("e"))),
    [],
  ),
  row("behind a step that fails, the chain has one", ({ no, ok, note }) => c(no, g(ok, ok, ok)).onError(note("e")), ["e:no"]),
  row("behind a step, members fail, the chain has one", ({ no, nay, ok, note }) => c(ok, g(no, nay, ok)).onError(note("e")), [
    "e:nay",
    "e:no",
  ]),
  row("behind two steps, the first fails", ({ no, ok, note }) => c(no, ok, g(ok, c(ok, g(ok, ok)))).onError(note("e")), ["e:no"]),
  row("a chain within, that ends in a group", ({ no, ok, note }) => c(ok, g(ok, c(no, g(ok, ok)))).onError(note("e")), ["e:no"]),
  row("a chain that ends in a group of none", ({ no, note }) => c(no, g()).onError(note("e")), ["e:no"]),
  // Chords.
  row("a chord, a header fails", ({ no, ok, sum, note }) => h([ok, no], sum).onError(note("e")), ["e:sum"]),
  row("a chord, two of the header fail", ({ no, nay, sum, note }) => h([no, nay], sum).onError(note("e")), ["e:sum"]),
  row("a chord, its body fails", ({ no, ok, note }) => h([ok, ok], no).onError(note("e")), ["e:no"]),
  row("the body's own", ({ no, ok, sum, note }) => h([ok, no], sum.onError(note("e"))), ["e:sum"]),
  row(
    "the header's own and the chord's",
    ({ no, ok, sum, note }) => h([ok.onError(note("a")), no.onError(note("b"))], sum).onError(note("e")),
    ["b:no", "e:sum"],
  ),
  row(
    "a chord whose body is a chain, own of both steps",
    ({ no, sum, ok, note }) => h([no], c(sum.onError(note("e")), ok.onError(note("f")))),
    ["e:sum"],
    { celery: "calls those of the chain alone" },
  ),
  row("a chord whose body is a chain with one", ({ no, sum, ok, note }) => h([no], c(sum, ok)).onError(note("e")), ["e:sum"], {
    celery: "names the last step of the body",
  }),
  row("a chord whose body is a group", ({ no, sum, ok, note }) => h([no], g(sum, ok)).onError(note("e")), ["e:ok", "e:sum"]),
  row("a group before a step", ({ no, ok, sum, note }) => c(g(ok, no), sum, ok).onError(note("e")), ["e:sum"]),
  row("a group before a step with its own", ({ no, ok, sum, note }) => c(g(ok, no), sum.onError(note("e")), ok.onError(note("f"))), [
    "e:sum",
  ]),
  row("a group before a group, the chain has one", ({ no, ok, note }) => c(g(ok, no), g(ok, ok)).onError(note("e")), ["e:ok", "e:ok"]),
  row("three groups, the first fails", ({ no, ok, sum, note }) => c(g(no), g(ok, ok), g(sum)).onError(note("e")), ["e:ok"], {
    celery: "calls none: the chord that is the body has none",
  }),
  row(
    "behind a step that fails, own of header and body",
    ({ no, ok, sum, note }) => c(no, h([ok.onError(note("a"))], sum.onError(note("b")))),
    [],
  ),
  row("behind a step that fails, the chord's", ({ no, ok, sum, note }) => c(no, h([ok], sum).onError(note("e"))), []),
  row("behind a step that fails, the chain's", ({ no, ok, sum, note }) => c(no, h([ok, ok], sum)).onError(note("e")), ["e:no"]),
  row("a chain in a header", ({ no, ok, sum, note }) => h([c(no, ok.onError(note("a"))).onError(note("b")), ok], sum).onError(note("e")), [
    "b:no",
    "e:sum",
  ]),
  row("a chord in a header", ({ no, ok, sum, note }) => h([h([no], ok).onError(note("a")), ok], sum).onError(note("e")), ["a:ok", "e:sum"]),
  row(
    "partial, members fail",
    ({ no, ok, sum, note }) =>
      h([ok, no.onError(note("a"))], sum, "partial")
        .onError(note("e"))
        .link(note("l")),
    ["a:no", "l"],
    { celery: "has no such option" },
  ),
  row(
    "partial, what is before it fails",
    ({ no, ok, sum, note }) => c(no, h([ok], sum, "partial").onError(note("e"))).onError(note("f")),
    ["f:no"],
    { celery: "has no such option" },
  ),
  // In the place of a task.
  row("replaced by a chain that fails", ({ swap, note }) => swap.onError(note("e")), ["e:nay"]),
  row(
    "replaced by a chain that fails, within a chain",
    ({ swap, ok, note }) => c(swap.onError(note("e")), ok.onError(note("f"))).onError(note("g")),
    ["e:nay", "g:nay"],
  ),
  row(
    "replaced by a chord whose header fails",
    ({ swapChord, ok, note }) => c(swapChord.onError(note("e")), ok).onError(note("g")),
    ["e:swapChord", "g:swapChord"],
    { celery: "names the body of the chord" },
  ),
  row(
    "one of a header is replaced, and fails before its group",
    ({ swapChord, sum, note }) => h([swapChord], sum, "partial").link(note("l")).onError(note("e")),
    ["l"],
    { celery: "has no such option" },
  ),
  // Revoked.
  row("revoked, a call that is not due", ({ late, note }) => late.onError(note("e")), ["e:ok"], {
    revoke: "all",
    celery: "calls error links when the task is due",
  }),
  row("revoked, a chain that is not due", ({ late, ok, note }) => c(late, ok).onError(note("e")), ["e:ok"], {
    revoke: "all",
    celery: handle,
  }),
  row("revoked, the first step of a chain", ({ late, ok, note }) => c(late, ok).onError(note("e")), ["e:ok"], {
    revoke: "first",
    celery: "calls error links when the task is due",
  }),
  row("revoked, own of a step that never ran", ({ late, ok, note }) => c(late.onError(note("a")), ok.onError(note("e"))), ["a:ok"], {
    revoke: "all",
    celery: handle,
  }),
  row("revoked, a group that is not due", ({ late, note }) => g(late, late).onError(note("e")), ["e:ok", "e:ok"], {
    revoke: "all",
    celery: "calls error links when the tasks are due",
  }),
  row("revoked, a chord whose header is not due", ({ late, ok, sum, note }) => h([late, ok], sum).onError(note("e")), ["e:sum"], {
    revoke: "all",
    celery: handle,
  }),
];

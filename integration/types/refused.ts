import { chain, chord, createApp, group, type Task } from "@bullrush/client";

/**
 * Each line that ends in a comment must not compile: its error stands on that line and says what
 * the comment does.
 */

class Account {
  balance = 0;
  deposit(amount: number) {
    this.balance += amount;
  }
}

class Secret {
  #key = "";
  name = this.#key;
}

class Counter {
  private count = 0;
  name = String(this.count);
}

interface Order {
  id: string;
  placed: Date;
}

interface Tree {
  children: readonly Tree[];
  seen: Set<string>;
}

const app = createApp();
const add = app.task("add", (x: number, y: number) => x + y);
const page = app.task("page", (n: number, size = 20) => [n, size]);
const shout = app.task("shout", (text: string) => text.toUpperCase());
const sum = app.task("sum", (values: number[]) => values.length);

app.task("1", (when: Date) => when.getTime()); // a Date
app.task("1b", (where: { readonly page: URL }) => where.page.href); // an argument: a URL
app.task("2", (map: Map<string, number>) => map.size); // a Map
app.task("3", (set: Set<string>) => set.size); // a Set
app.task("4", (n: bigint) => Number(n)); // a bigint
app.task("5", (s: symbol) => String(s)); // a symbol
app.task("6", (f: () => number) => f()); // a function or method
app.task("7", (account: Account) => account.balance); // a function or method
app.task("8", (secret: Secret) => secret.name); // an instance of a class
app.task("9", (counter: Counter) => counter.name); // an instance of a class
app.task("10", (list: (string | undefined)[]) => list.length); // undefined in an array
app.task("11", (order: Order) => order.id); // an argument: a Date
app.task("12", (first: string, ...dates: Date[]) => first + dates.length); // an argument: a Date
app.task("13", (pair: readonly [number, Date]) => pair[0]); // an argument: a Date
app.task("14", (tree: Tree) => tree.children.length); // an argument: a Set
app.task("15", (when: string | Date) => String(when)); // an argument: a Date
app.task("16", () => new Date()); // the result: a Date
app.task("17", async () => new Map([["a", 1]])); // the result: a Map
app.task("18", { queue: "slow" }, async () => ({ at: { last: new Date() } })); // the result: a Date
app.task("19", (n: number) => BigInt(n)); // the result: a bigint
app.task("20", async () => [1, undefined]); // the result: undefined in an array
app.task("21", () => new Account()); // the result: a function or method
app.task("22", async () => () => 1); // the result: a function or method
void app.stub<Task<[when: Date], number>>("23").delay(new Date()); // an argument: a Date
app.task("24", (x) => x); // a parameter needs a type
app.task("25", (all: Record<string, Date>) => Object.keys(all)); // an argument: a Date
void add.applyAsync([1, 2], { countdown: "1m", eta: new Date() }); // countdown and eta exclude each other
void add.applyAsync([1, 2], { countdown: "1 fortnight" }); // Duration
void page.delay(1, "20"); // 'number'
chain(add.s(1, 2), shout.s()); // the step before gives another type than this step takes", number, string
chord(group(shout.s("a"), shout.s("b")), sum.s()); // the step before gives another type than this step takes", [string, string], number[]

/**
 * How an exchange compares a routing key with the binding key of a queue, as in AMQP. `direct`: they are equal. `topic`: words separated
 * by dots, where `*` in the binding key stands for exactly one word and `#` for any number of words, none included. `fanout`: whatever they are.
 */
export type ExchangeType = "direct" | "topic" | "fanout";

/** An exchange as options name it. A name alone has the type that is declared with it elsewhere, else `"direct"`. */
export type ExchangeOption = string | { readonly name: string; readonly type?: ExchangeType };

/** Whether `type` is one of the exchange types. */
export function isExchangeType(type: unknown): type is ExchangeType {
  return type === "direct" || type === "topic" || type === "fanout";
}

/** Whether `name` may be the name of an exchange: any text but the empty one. */
export function isExchangeName(name: unknown): name is string {
  return typeof name === "string" && name !== "";
}

/** Tells which routing keys a binding with key `bindingKey` takes, on an exchange of type `type`. */
export function compileBindingKey(type: ExchangeType, bindingKey: string): (routingKey: string) => boolean {
  return compilers[type](bindingKey);
}

const compilers: Readonly<Record<ExchangeType, (bindingKey: string) => (routingKey: string) => boolean>> = {
  direct: (bindingKey) => (routingKey) => routingKey === bindingKey,
  topic: compileTopic,
  fanout: () => () => true,
};

/**
 * A set of positions in the binding key is a bigint: bit `i` says that its first `i` words, `#` not counted, are matched. Each word of the
 * routing key moves the whole set on, so nothing is ever tried twice.
 */
function compileTopic(bindingKey: string): (routingKey: string) => boolean {
  const positions = new Map<string, bigint>();
  let wildcards = 0n;
  let loops = 0n;
  let end = 1n;
  for (const word of wordsOf(bindingKey)) {
    if (word === "#") {
      loops |= end;
      continue;
    }
    if (word === "*") wildcards |= end;
    else positions.set(word, (positions.get(word) ?? 0n) | end);
    end <<= 1n;
  }
  for (const [word, places] of positions) positions.set(word, places | wildcards);

  return (routingKey) => {
    let reached = 1n;
    for (const word of wordsOf(routingKey)) {
      reached = (reached & loops) | ((reached & (positions.get(word) ?? wildcards)) << 1n);
      if (reached === 0n) return false;
    }
    return (reached & end) !== 0n;
  };
}

/** The empty key has no words; `"a..b"` has three, one of them empty. */
function wordsOf(key: string): readonly string[] {
  return key === "" ? [] : key.split(".");
}

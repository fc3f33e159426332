const day = 24 * 60 * 60 * 1000;

/** A change of a zone's clocks. */
interface Change {
  /** The first moment of the new offset. */
  readonly at: number;
  /** The offset from UTC before and after the change, in ms. */
  readonly before: number;
  readonly since: number;
}

const zones = new Map<string, Zone>();

/** The zone of this name. Each is created once, since its formatter takes some kB. */
export function zoneOf(name: string): Zone {
  let zone = zones.get(name);
  if (zone === undefined) zones.set(name, (zone = new Zone(name)));
  return zone;
}

/** An IANA time zone, as Node knows it. */
class Zone {
  readonly #format: Intl.DateTimeFormat;

  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat("en", { timeZone: name, timeZoneName: "longOffset" });
  }

  /** The offset from UTC at `time`, in ms. */
  offsetAt(time: number): number {
    const [, sign, hours, minutes, seconds = "0"] = /GMT([+-])(\d+):(\d+)(?::(\d+))?$/.exec(this.#format.format(time)) ?? [];
    if (sign === undefined) return 0;
    return (sign === "-" ? -1000 : 1000) * ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds));
  }

  /** The change between `from` and `to`, if the offsets differ. */
  change(from: number, to: number): Change | undefined {
    const before = this.offsetAt(from);
    if (this.offsetAt(to) === before) return undefined;
    let [last, at] = [from, to];
    while (at - last > 1) {
      const middle = Math.floor((last + at) / 2);
      if (this.offsetAt(middle) === before) last = middle;
      else at = middle;
    }
    return { at, before, since: this.offsetAt(at) };
  }

  /** The change that affects local times around `time`, which repeat or are skipped. */
  recentChange(time: number): Change | undefined {
    return this.change(time - day, time);
  }
}

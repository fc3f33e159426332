// Names that this project once used for things that have a standard term. `files.mjs` refuses them.

/**
 * The files that are checked: TypeScript, scripts and prose of the folders that are clean. Add a
 * folder when none of the names is left in it; the list itself and the changelog are exempt.
 */
export const wordFiles =
  /^(?:README\.md|CONTRIBUTING\.md|(?:docs|examples|integration|benchmarks|scripts(?!\/words\.mjs)|packages\/(?:client|beat|program|cli))\/.*\.(?:ts|mjs|md))$/;

/** What must not stand in these files, and what to write instead. */
export const words = [
  [/\b[Mm]ishaps?\b|\bMishap/, "FailureInfo"],
  // Not yet in Redis keys and in names of files, which are the broker's.
  [/(?<![:/])\b[Dd]oom(?:s|ed|ing|Of)?\b|[a-z]Doom(?:ed|ing)?\b/, "cascade, or crashLimitError"],
  [/\b[Mm]orgues?\b|\bbury\b|\bburied\b/, "dead-letter queue, deadLetter"],
  [/\b[Dd]oorbells?\b|\bOutlook\b/, "WakeupListener, QueueAvailability"],
  [/\b[Uu]nheard\b/, "LostTakes"],
  [/\baboard\b|\bstoresAlong\b/, "storesInSettlement"],
  [/\bmayTake\b/, "hasWork"],
  [/\bpassOn\b/, "releaseWakeups"],
  [/\b(?:[Ff]low)?[Mm]ender\b|\bmendFlows\b/, "repairer, repairFlows"],
  [/\bFlowCarrier\b/, "FlowRunner"],
  [/\b[Aa]genda\b/, "TimingWheel"],
  [/\b[Ff]lights\b/, "InflightCommands"],
  [/\b[Ss]ought\b/, "AwaitedTask"],
  [/\b[Ff]allout\b/, "unhandled-errors"],
  [/\bwithin\(/, "withTimeout"],
  [/\bgroupsOf\b/, "groupBy"],
  [/\bTroubleLog\b|\bonTrouble\b|\b[Tt]roubles?\b/, "ThrottledLog, onConnectionError, or a problem"],
  [/\bSurroundings\b/, "Dependencies"],
  [/\b[Ff]oreseen\b/, "preview"],
  [/\b(?:most|longest(?!Timer))[A-Z]\w*/, "maxX"],
  [/\bhow-manieth\b/, "how many times, this one included"],
  [/\b(?:class|new) Outbox\b|#outbox\b/, "SettlementQueue"],
  [/\bTransport\b|\bbullmqTransport\b/, "Engine, or one of its facets"],
].map(([found, instead]) => ({ found, problem: `is not the standard term (${instead})` }));

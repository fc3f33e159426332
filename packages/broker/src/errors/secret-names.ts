/** What stands where a secret was. */
export const redacted = "***";

/**
 * The parts of names, in lower case and letters only, by which a field is known to hold a secret.
 */
const secret =
  /passw(?:or)?d|passphrase|passcode|pwd|secret|token(?!s)|(?:access|refresh|auth|api|session|id|bearer)tokens|authori[sz]ation|api(?:access)?key|accesskey|privatekey|encryptionkey|signingkey|credential|cookie|sessionid|connectionstring/;
const whole: ReadonlySet<string> = new Set(["pass", "auth", "pin", "dsn", "jwt", "otp", "bearer"]);

/**
 * Whether a field or a parameter of this name holds a secret: `password`, `X-Api-Key`,
 * `accessToken` and their like.
 */
export function isSecretName(name: string): boolean {
  const letters = lettersOf(name);
  return whole.has(letters) || secret.test(letters);
}

/** Names whose value goes on to the end of the line, without quotes. */
const header = /^(?:proxy)?authorization$|^(?:set)?cookie$|apikey$/;

/**
 * Longest names and values that are looked for, and the shortest value behind a bare `Bearer`, in
 * characters.
 */
const limits = { name: 64, value: 4000, bearer: 16 };

/**
 * `text` without the values of the secrets that it names: `password=…`, `"token": "…"`,
 * `Authorization: …`, `Bearer …`. Takes linear time for any text.
 */
export function redactNamed(text: string): string {
  let shown = "";
  let done = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text.charAt(at);
    // The colon of a URL stands behind its scheme.
    if (sign !== "=" && (sign !== ":" || text.charAt(at + 1) === "/")) continue;
    const name = nameBefore(text, at);
    if (name === "" || !isSecretName(name)) continue;
    const [start, end] = valueBehind(text, at, sign === "=" ? "value" : header.test(lettersOf(name)) ? "line" : "quoted");
    if (end <= start) continue;
    shown += text.slice(done, start) + redacted;
    done = end;
    at = end - 1;
  }
  return withoutBearers(done === 0 ? text : shown + text.slice(done));
}

function withoutBearers(text: string): string {
  let shown = "";
  let done = 0;
  for (let at = text.indexOf(bearer); at !== -1; at = text.indexOf(bearer, at + bearer.length)) {
    const start = at + bearer.length;
    const end = endOf(text, start, isOfToken);
    if (end - start < limits.bearer) continue;
    shown += text.slice(done, start) + redacted;
    done = end;
  }
  return done === 0 ? text : shown + text.slice(done);
}

const bearer = "Bearer ";

/** The name in front of the sign at `at`, in quotes or not. */
function nameBefore(text: string, at: number): string {
  let end = at;
  if (text.charAt(end - 1) === " ") end--;
  if (isQuote(text.charAt(end - 1))) end--;
  let start = end;
  while (start > 0 && end - start <= limits.name && isOfName(text.charCodeAt(start - 1))) start--;
  return end - start > limits.name ? "" : text.slice(start, end);
}

/**
 * Where the value behind the sign at `at` begins and ends. `form`: what it may be without quotes.
 */
function valueBehind(text: string, at: number, form: "value" | "line" | "quoted"): readonly [start: number, end: number] {
  let start = at + 1;
  while (start < at + 3 && text.charAt(start) === " ") start++;
  const quote = text.charAt(start);
  if (isQuote(quote)) {
    start++;
    let end = start;
    while (end < text.length && end - start < limits.value && text.charAt(end) !== quote) end += text.charAt(end) === "\\" ? 2 : 1;
    return [start, Math.min(end, text.length)];
  }
  if (form === "quoted") return [start, start];
  return [start, endOf(text, start, form === "line" ? isOfLine : isOfValue)];
}

function endOf(text: string, start: number, belongs: (character: string) => boolean): number {
  let end = start;
  while (end < text.length && end - start < limits.value && belongs(text.charAt(end))) end++;
  return end;
}

function isQuote(character: string): boolean {
  return character === '"' || character === "'";
}

function isOfLine(character: string): boolean {
  return character !== "\n" && character !== "\r" && !isQuote(character);
}

function isOfValue(character: string): boolean {
  return !" \t\n\r&\"',;()[]{}".includes(character);
}

function isOfToken(character: string): boolean {
  return isOfName(character.charCodeAt(0)) || "+/=.~".includes(character);
}

/** A letter or a digit of ASCII, `_`, `-` or `.`. */
function isOfName(code: number): boolean {
  return isLetter(code) || (code >= 48 && code <= 57) || code === 95 || code === 45 || code === 46;
}

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

function lettersOf(name: string): string {
  let letters = "";
  for (let index = 0; index < Math.min(name.length, 200); index++) if (isLetter(name.charCodeAt(index))) letters += name.charAt(index);
  return letters.toLowerCase();
}

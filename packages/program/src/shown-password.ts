import { compileLocation, isMemoryUrl } from "@bullrush/broker";

/**
 * The warning for flags whose URL contains a password: anybody who can list the processes of the
 * machine can read it.
 */
export function shownPasswords(flags: Readonly<Record<"--broker" | "--result-backend", string | undefined>>): readonly string[] {
  const variables = { "--broker": "BULLRUSH_BROKER_URL", "--result-backend": "BULLRUSH_RESULT_BACKEND" } as const;
  return (["--broker", "--result-backend"] as const).flatMap((flag) => {
    const url = flags[flag];
    if (url === undefined || isMemoryUrl(url) || compileLocation(url).options.password === undefined) return [];
    return [
      `the password in ${flag} is shown to everybody on this machine by ps: give the URL in ${variables[flag]} or in the app's options`,
    ];
  });
}

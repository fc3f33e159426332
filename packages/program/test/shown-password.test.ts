import { expect, test } from "vitest";
import { shownPasswords } from "../src/shown-password.js";

test("password in a flag: a warning without it that says what to do instead", () => {
  const warnings = shownPasswords({ "--broker": "redis://ann:s3cret@h", "--result-backend": "redis://:s3cret@h" });
  expect(warnings).toEqual([
    expect.stringMatching(/--broker .* ps: .*BULLRUSH_BROKER_URL/),
    expect.stringMatching(/--result-backend .* ps: .*BULLRUSH_RESULT_BACKEND/),
  ]);
  expect(warnings.join()).not.toContain("s3cret");
});

test("no password in a flag: no warning", () => {
  expect(shownPasswords({ "--broker": "redis://ann@h:1/2", "--result-backend": undefined })).toEqual([]);
});

import { expect, test } from "vitest";
import { shownPasswords } from "../src/shown-password.js";

test("a password in a flag is warned of, without it, with what to do instead", () => {
  const warnings = shownPasswords({ "--broker": "redis://ann:s3cret@h", "--result-backend": "redis://:s3cret@h" });
  expect(warnings).toEqual([
    expect.stringMatching(/--broker .* ps: .*BULLRUSH_BROKER_URL/),
    expect.stringMatching(/--result-backend .* ps: .*BULLRUSH_RESULT_BACKEND/),
  ]);
  expect(warnings.join()).not.toContain("s3cret");
});

test("none is not", () => {
  expect(shownPasswords({ "--broker": "redis://ann@h:1/2", "--result-backend": undefined })).toEqual([]);
});

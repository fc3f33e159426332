import { expectTypeOf, test } from "vitest";
import type { Failure, Flow, Outcome, TaskState, TerminalState } from "@bullrush/broker";

test("an outcome is one of seven, told apart by its type", () => {
  expectTypeOf<Outcome["type"]>().toEqualTypeOf<"succeeded" | "failed" | "revoked" | "retried" | "replaced" | "crashed" | "requeued">();
  const describeOutcome = (outcome: Outcome): string => {
    switch (outcome.type) {
      case "succeeded":
        return outcome.result ?? "nothing";
      case "failed":
        expectTypeOf(outcome.failure).toEqualTypeOf<Failure>();
        return outcome.failure.message;
      case "retried":
        expectTypeOf(outcome.failure).toEqualTypeOf<Failure>();
        return outcome.text;
      case "replaced":
        expectTypeOf(outcome.flow).toEqualTypeOf<Flow>();
        return outcome.flow.id;
      case "revoked":
      case "crashed":
      case "requeued":
        return outcome.reason;
    }
  };
  expectTypeOf(describeOutcome).returns.toEqualTypeOf<string>();
});

test("an outcome that is none does not compile", () => {
  // @ts-expect-error no such outcome
  const skipped: Outcome = { type: "skipped" };
  // @ts-expect-error a failure is data, not an Error's message
  const failed: Outcome = { type: "failed", failure: "no" };
  // @ts-expect-error it is encoded already
  const succeeded: Outcome = { type: "succeeded", result: 3 };
  expectTypeOf([skipped, failed, succeeded]).toBeArray();
});

test("a state is one of ours or a word of the task's own", () => {
  expectTypeOf<TerminalState>().toEqualTypeOf<"SUCCESS" | "FAILURE" | "REVOKED">();
  expectTypeOf<"UNKNOWN" | "PENDING" | "STARTED" | "RETRY" | "LOADING">().toExtend<TaskState>();
});

import { equal, matches } from "./assertions.js";
import { argsOf, callIn, chordOf, endOf, flowOf, isOver, play, recordsOf } from "./flow-play.js";
import { contentOf, takeOne } from "./stage.js";
import type { Suite } from "./suite.js";

export function describeFlowFailures({ describe, test }: Suite): void {
  describe("a failure in a flow", () => {
    test("behind a success: links are called, and error links are dropped with all behind them", async (stage) => {
      const flow = flowOf(
        [
          {
            task: "sum",
            args: [4],
            next: [
              ["link", 1],
              ["error", 2],
            ],
          },
          { task: "list", args: ["linked"] },
          {
            task: "list",
            next: [
              ["step", 3],
              ["slot", 0, 0],
            ],
          },
          { task: "list", next: [["slot", 0, 1]] },
          { task: "list" },
        ],
        [{ next: [["step", 4]] }],
      );
      await stage.engine.flows.begin(flow);
      equal(argsOf(await play(stage, stage.consume(), flow)), [[4], [4, "linked"]]);
    });

    test("of a step: later steps fail with the same error without running, and error links are told who failed", async (stage) => {
      const flow = flowOf([
        { task: "fail", args: [7], next: [["step", 1]] },
        {
          task: "list",
          next: [
            ["step", 2],
            ["link", 3],
          ],
        },
        { task: "list", next: [["error", 4]] },
        { task: "list" },
        { task: "list", args: ["told"] },
      ]);
      await stage.engine.flows.begin(flow);
      const played = await play(stage, stage.consume(), flow);
      const origin = { id: callIn(flow, 0).message.id, task: "fail" };
      const failure = { name: "RangeError", message: "no 7" };
      equal(argsOf(played), [[7], [{ ...origin, state: "FAILURE", failure }, "told"]]);
      const [first, second, third, link, told] = await recordsOf(stage, flow);
      matches(first, { state: "FAILURE", failure });
      matches(second, { state: "FAILURE", failure, origin, task: "list", queue: "feeds" });
      matches(third, { state: "FAILURE", failure, origin });
      equal(link, undefined);
      matches(told, { state: "SUCCESS" });
    });

    test("with error links for some calls: those are told, and no others", async (stage) => {
      const flow = flowOf([
        {
          task: "fail",
          args: [7],
          next: [
            ["step", 1],
            ["error", 3, 0, 0],
          ],
        },
        {
          task: "list",
          next: [
            ["step", 2],
            ["error", 4, 1, 1],
          ],
        },
        {
          task: "list",
          next: [
            ["error", 5, 2, 2],
            ["error", 6, 0, 2],
            ["error", 7, 1, 2],
          ],
        },
        ...["own", "second", "third", "all", "inner"].map((args) => ({ task: "list", args: [args] })),
      ]);
      await stage.engine.flows.begin(flow);
      const played = await play(stage, stage.consume(), flow);
      equal(
        played.slice(1).map(({ args }) => args[1]),
        ["own", "all"],
      );
    });

    test("of a group: the call behind it is the one that failed, for its error links", async (stage) => {
      const flow = flowOf(
        [
          { task: "fail", args: [1], next: [["slot", 0, 0]] },
          {
            task: "sum",
            next: [
              ["step", 2],
              ["error", 3, 1, 1],
            ],
          },
          {
            task: "list",
            next: [
              ["error", 4, 2, 2],
              ["error", 5, 0, 2],
            ],
          },
          ...["body", "behind", "all"].map((args) => ({ task: "list", args: [args] })),
        ],
        [{ size: 1, next: [["step", 1]] }],
      );
      await stage.engine.flows.begin(flow);
      const played = await play(stage, stage.consume(), flow);
      const told = { id: callIn(flow, 1).message.id, task: "sum", state: "FAILURE", failure: { code: "CHORD_FAILED" } };
      matches(argsOf(played.slice(1)), [
        [told, "body"],
        [told, "all"],
      ]);
      const origin = { id: flow.joins[0]?.id, task: "group" };
      matches((await recordsOf(stage, flow)).slice(1, 3), [{ origin }, { origin }]);
    });

    test("of members: the group fails, and names them", async (stage) => {
      const flow = chordOf(["list", "fail", "revoke", "list"]);
      await stage.engine.flows.begin(flow);
      equal((await play(stage, stage.consume(), flow)).length, 4);
      const [failed, revoked] = [callIn(flow, 1).message.id, callIn(flow, 2).message.id];
      const message = `2 of 4 members of a group failed: fail[${failed}] failed: RangeError: no 1; revoke[${revoked}] was revoked: by hand`;
      const failure = { name: "ChordError", code: "CHORD_FAILED", message, cause: { name: "RangeError", message: "no 1" } };
      const record = { state: "FAILURE", failure, origin: { id: flow.joins[0]?.id, task: "group" } };
      matches((await recordsOf(stage, flow)).slice(4), [record, record]);
    });

    test("of members of a group that lets pass what there is: they are null", async (stage) => {
      const flow = chordOf(["list", "fail", "list"], "partial");
      await stage.engine.flows.begin(flow);
      await play(stage, stage.consume(), flow);
      const values = [[0], null, [2]];
      matches((await recordsOf(stage, flow)).slice(3), [{ result: [values] }, { result: [[values]] }]);
    });

    test("before a group: what is behind the group fails with the same error", async (stage) => {
      const flow = flowOf(
        [
          {
            task: "fail",
            args: [1],
            next: [
              ["step", 1],
              ["step", 2],
            ],
          },
          { task: "list", next: [["slot", 0, 0]], startsMembersOf: [0] },
          { task: "list", next: [["slot", 0, 1]], startsMembersOf: [0] },
          { task: "list" },
        ],
        [{ next: [["step", 3]], onFailure: "partial" }],
      );
      await stage.engine.flows.begin(flow);
      await play(stage, stage.consume(), flow);
      matches((await recordsOf(stage, flow))[3], { failure: { name: "RangeError" }, origin: { task: "fail" } });
    });

    test("because the values of a group are too long together: PAYLOAD_TOO_LARGE", async (stage) => {
      const long = ["x", "y", "z"].map((letter) => letter.repeat(700));
      const members = long.map((text, slot) => ({ task: "list", args: [text], next: [["slot", 0, slot] as const] }));
      const flow = flowOf([...members, { task: "list" }], [{ size: 3, next: [["step", 3]] }], [["steps", 0, 2]]);
      await stage.engine.flows.begin(flow);
      await play(stage, stage.consume(), flow);
      matches((await recordsOf(stage, flow))[3], { state: "FAILURE", failure: { code: "PAYLOAD_TOO_LARGE" } });
    });

    test("before 300 calls: all of them fail, and each is told once", async (stage) => {
      const { results } = stage.engine;
      const told = new Map<string, number>();
      const stop = await results.subscribe((id) => void told.set(id, (told.get(id) ?? 0) + 1));
      const members = Array.from({ length: 300 }, (_, slot) => ({
        task: "list",
        next: [["slot", 0, slot] as const],
        startsMembersOf: [0],
      }));
      const steps = [{ task: "fail", args: [1], next: [["steps", 1, 300] as const] }, ...members, { task: "list" }];
      const flow = { ...flowOf(steps, [{ size: 300, next: [["step", 301]] }]), replyTo: results.replyChannel };
      await stage.engine.flows.begin(flow);
      const consumer = stage.consume();
      await consumer.settleAndTake({ settle: [endOf(await takeOne(consumer))], take: 0 });
      await stage.eventually("end of the flow", () => isOver(stage, flow.id));
      const records = (await recordsOf(stage, flow)).slice(1);
      equal(records.filter((record) => record?.state === "FAILURE").length, 301);
      await stage.eventually("all notifications", () => told.size === 301);
      equal(
        [...told.values()].filter((times) => times !== 1),
        [],
      );
      stop();
    });

    test("in the place of a task, before a group: the task is the one that failed", async (stage) => {
      const outer = flowOf(
        [
          {
            task: "list",
            next: [
              ["slot", 0, 0],
              ["error", 2, 0, 0],
            ],
          },
          { task: "list", args: ["body"] },
          { task: "list", args: ["told"] },
        ],
        [{ size: 1, onFailure: "partial", next: [["step", 1]] }],
      );
      await stage.engine.flows.begin(outer);
      const consumer = stage.consume();
      const replaced = await takeOne(consumer);
      const own = flowOf([
        { task: "fail", args: [7], next: [["step", 1]] },
        { task: "list", startsMembersOf: [0] },
      ]);
      const last = callIn(own, 1);
      const positions = [...(last.message.positions ?? []), ...(contentOf(replaced).positions ?? [])];
      const message = { ...last.message, positions, replaces: [{ id: replaced.id, task: "list" }] };
      const inner = { ...own, calls: [callIn(own, 0), { ...last, message }] };
      await stage.engine.flows.begin(inner);
      await consumer.settleAndTake({ settle: [{ delivery: replaced, outcome: { type: "replaced", flow: inner } }], take: 0 });
      matches(argsOf(await play(stage, consumer, outer)), [[7], [{ task: "fail" }, "told"], [[null], "body"]]);
    });
  });
}

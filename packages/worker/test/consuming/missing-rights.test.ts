import { BullrushError } from "@bullrush/broker";
import { expect, test } from "vitest";
import { MissingRights } from "../../src/consuming/missing-rights.js";

const refusal = new BullrushError("REDIS_AUTH", {
  url: "redis://h",
  user: "ann",
  refusal: "command-denied",
  reason: "NOPERM",
  command: "lpush",
});
const login = new BullrushError("REDIS_AUTH", { url: "redis://h", user: "ann", refusal: "login-denied", reason: "WRONGPASS" });
const outage = new BullrushError("BROKER_UNAVAILABLE", { url: "redis://h", action: "nothing", deadline: 5000, reason: "ECONNREFUSED" });

function stage() {
  let now = 0;
  const heard: BullrushError[] = [];
  const rights = new MissingRights({ now: () => now }, (error) => heard.push(error));
  return { rights, heard, at: (time: number) => (now = time) };
}

test("what was never granted is hopeless at once", () => {
  const { rights, heard } = stage();
  rights.failed(refusal);
  expect(heard).toEqual([refusal]);
});

test("what was granted before is hopeless after a minute of refusals", () => {
  const { rights, heard, at } = stage();
  rights.granted();
  rights.failed(refusal);
  at(59_999);
  rights.failed(refusal);
  expect(heard).toEqual([]);
  at(60_000);
  rights.failed(refusal);
  expect(heard).toEqual([refusal]);
});

test("a refused login is hopeless after a minute: a worker that runs has logged in", () => {
  const { rights, heard, at } = stage();
  rights.failed(login);
  at(59_999);
  rights.failed(login);
  expect(heard).toEqual([]);
  at(60_000);
  rights.failed(login);
  expect(heard).toEqual([login]);
});

test("a minute begins anew with each success", () => {
  const { rights, heard, at } = stage();
  rights.granted();
  rights.failed(refusal);
  at(59_999);
  rights.granted();
  at(100_000);
  rights.failed(refusal);
  at(159_999);
  rights.failed(refusal);
  expect(heard).toEqual([]);
});

test("an outage is never hopeless", () => {
  const { rights, heard, at } = stage();
  rights.failed(outage);
  at(1_000_000);
  rights.failed(outage);
  rights.failed(new Error("no"));
  expect(heard).toEqual([]);
});

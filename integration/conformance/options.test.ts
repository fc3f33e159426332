import { describe, expect, test } from "vitest";
import { flows } from "./cases/flows.js";
import { attempts, deduplication, keeping, limits, options } from "./cases/options.js";
import { schedulers } from "./cases/schedulers.js";
import { play, startOurs, startStock } from "./side.js";

const cases = { options, attempts, keeping, deduplication, flows, schedulers, limits };

describe.each(Object.entries(cases))("%s of stock producers leave the same in Redis with BullMQ's Worker and with ours:", (_, rows) => {
  test.concurrent.for(rows)("$what", async (row, context) => {
    const [stock, ours] = await Promise.all([play(row, startStock), play(row, startOurs)]);
    context.expect(ours).toEqual(stock);
    expect(Object.keys(stock).length).toBeGreaterThan(2);
  });
});

import { memoryEngine } from "@bullrush/broker";
import { expect, onTestFinished, test, vi } from "vitest";
import { createApp } from "../../src/index.js";

const redis = "redis://127.0.0.1:6379/0";

test.each([
  ["a Redis beside a broker in memory", { broker: "memory://", backend: redis }],
  ["a broker on Redis beside a result backend in memory", { broker: redis, backend: "memory://" }],
  ["another name", { broker: "memory://a", backend: "memory://b" }],
])("%s: INVALID_OPTION", (_, options) => {
  expect(() => createApp(options)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
});

test("a result backend of the environment beside a broker in memory: INVALID_OPTION names the variable", () => {
  vi.stubEnv("BULLRUSH_RESULT_BACKEND", redis);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(() => createApp({ broker: "memory://" })).toThrow("BULLRUSH_RESULT_BACKEND");
  expect(() => createApp({ engine: memoryEngine() })).not.toThrow();
});

test("a broker of the environment: memory:// is understood there too", async () => {
  vi.stubEnv("BULLRUSH_BROKER_URL", "memory://");
  onTestFinished(() => void vi.unstubAllEnvs());
  const app = createApp();
  onTestFinished(() => app.close());
  expect(app.options.isLocal).toBe(true);
  expect(await (await app.sendTask("tasks.any")).status()).toBe("PENDING");
});

test.each(["memory://a/b", "memory://a b", "memory:a"])("%s: INVALID_URL", (broker) => {
  expect(() => createApp({ broker })).toThrow(expect.objectContaining({ code: "INVALID_URL" }));
});

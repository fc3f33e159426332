import { defaultServerConditions } from "vite";
import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { hangTimeout } from "./integration/lib/hang-timeout.js";

/** Packages are tested from their sources: `@bullrush/broker` is `packages/broker/src/index.ts`. */
const ssr = { resolve: { conditions: ["@bullrush/source", ...defaultServerConditions.filter((condition) => condition !== "module")] } };

/**
 * What the projects that run code have in common. A process runs many test files, one after the
 * other, and imports the packages once: a process for each file would spend more on imports than on
 * tests. So what a file changes in its process, it changes back.
 */
const running = {
  pool: "forks",
  isolate: false,
  setupFiles: ["integration/setup/leaks.ts"] as string[],
  // The waits inside a test time out first, with a better message.
  testTimeout: 3 * hangTimeout,
  hookTimeout: 3 * hangTimeout,
  expect: { poll: { timeout: hangTimeout } },
} as const;

/** Tests of a package that need a Redis, marked by their file name. */
const needsRedis = "packages/*/test/**/*.redis.test.ts";

/** Tests without Redis: one that opens a connection fails. */
const pure: TestProjectInlineConfiguration = {
  ssr,
  test: {
    ...running,
    name: "pure",
    include: ["packages/*/test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, needsRedis],
    setupFiles: ["integration/setup/no-connections.ts", ...running.setupFiles],
  },
};

const redis: TestProjectInlineConfiguration = {
  ssr,
  test: {
    ...running,
    name: "redis",
    include: [needsRedis],
  },
};

/** Tests with processes that compute, or that are stopped and killed by the dozen. */
const heavy = ["integration/{beat,faults,flows,pools}/**/*.test.ts"];

const isNamed = (what: string) => process.argv.slice(2).some((argument) => argument.includes(what));

/**
 * Run only when they are named: one builds the version before this one, which takes a minute, the
 * others need an idle machine.
 */
const rare = [...(isNamed("compat") ? [] : ["integration/compat/**"]), "integration/perf/**"];

/** Tests that start real processes. */
const integration: TestProjectInlineConfiguration = {
  ssr,
  test: {
    ...running,
    name: "integration",
    include: ["{integration,examples,docs}/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...heavy, ...rare],
    globalSetup: "integration/setup/build.ts",
  },
};

/**
 * Runs after all others, and fewer at a time: a process that computes needs a core, and timed code
 * must not wait for one. Most of it waits.
 */
const faults: TestProjectInlineConfiguration = {
  ...integration,
  test: {
    ...integration.test,
    name: "faults",
    include: heavy,
    exclude: configDefaults.exclude,
    maxWorkers: 3,
    sequence: { groupOrder: 1 },
  },
};

/** True timings, for `pnpm perf`, on a machine that does nothing else: one file after the other. */
const perf: TestProjectInlineConfiguration = {
  ...integration,
  test: {
    ...integration.test,
    name: "perf",
    include: ["integration/perf/**/*.test.ts"],
    exclude: configDefaults.exclude,
    fileParallelism: false,
  },
};

const types: TestProjectInlineConfiguration = {
  test: {
    name: "types",
    include: [],
    // Errors elsewhere than in a type test are for `tsc`, in `pnpm check`.
    typecheck: {
      enabled: true,
      only: true,
      include: ["packages/*/test/**/*.test-d.ts"],
      tsconfig: "tsconfig.types.json",
      ignoreSourceErrors: true,
    },
  },
};

export default defineConfig({
  ssr,
  test: {
    // Here and not in a project: once for the whole run.
    globalSetup: ["integration/setup/generated.ts", "integration/setup/redis.ts"],
    teardownTimeout: 10_000,
    // Tests wait more than they work, so there are more files at once than cores.
    maxWorkers: 4,
    projects: [pure, redis, integration, faults, types, ...(isNamed("perf") ? [perf] : [])],
  },
});

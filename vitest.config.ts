import { defaultServerConditions } from "vite";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

/** Packages are tested from their sources: `@bullrush/broker` is `packages/broker/src/index.ts`. */
const ssr = { resolve: { conditions: ["@bullrush/source", ...defaultServerConditions.filter((condition) => condition !== "module")] } };

/** What the projects that run code have in common. */
const running = { pool: "forks", setupFiles: "integration/setup/leaks.ts" } as const;

const unit: TestProjectInlineConfiguration = {
  ssr,
  test: {
    ...running,
    name: "unit",
    include: ["packages/*/test/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
};

/** Tests that start real processes, so one file at a time, when the unit tests are through. */
const integration: TestProjectInlineConfiguration = {
  ssr,
  test: {
    ...running,
    name: "integration",
    include: ["{integration,examples,docs}/**/*.test.ts"],
    globalSetup: "integration/setup/build.ts",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
    sequence: { groupOrder: 1 },
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
      tsconfig: "tsconfig.test.json",
      ignoreSourceErrors: true,
    },
  },
};

export default defineConfig({
  ssr,
  test: {
    // Here and not in a project: once for the whole run.
    globalSetup: "integration/setup/redis.ts",
    teardownTimeout: 10_000,
    projects: [unit, integration, types],
  },
});

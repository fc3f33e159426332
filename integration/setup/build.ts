import { existsSync } from "node:fs";

/** Integration tests start `task-worker` as its users do, from the built packages. */
export function setup(): void {
  const built = ["broker", "client", "worker"].map((name) => `packages/${name}/dist/index.js`);
  const missing = built.filter((file) => !existsSync(new URL(`../../${file}`, import.meta.url)));
  if (missing.length > 0) throw new Error(`not built: ${missing.join(", ")}. Run pnpm build first, or the tests with npm test.`);
}

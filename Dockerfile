# Worker and beat of examples/routed-queues: docker build -t bullrush .
# For an app of your own, put its folder in the place of the example.

FROM node:22-slim AS build
WORKDIR /app
COPY . .
# What the lockfile says; then again without what only a build needs, and only what is run.
RUN node scripts/bootstrap.mjs build
RUN rm -rf node_modules packages/*/node_modules examples/*/node_modules benchmarks/node_modules integration/node_modules
RUN npx -y pnpm@10.34.9 install --frozen-lockfile --prod --filter "@bullrush/example-routed-queues..."

FROM node:22-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/packages packages
COPY --from=build /app/examples/routed-queues examples/routed-queues
USER node
# Node itself is the process that is sent SIGTERM: no shell and no npx in front of it, which would not pass it on.
CMD ["node", "packages/cli/bin/task-worker.js", "-A", "examples/routed-queues/tasks.ts"]

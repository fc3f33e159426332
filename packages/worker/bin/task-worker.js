#!/usr/bin/env node
import { run } from "../dist/bin/task-worker.js";

await run(process.argv);

#!/usr/bin/env node
import { runTaskWorker } from "../dist/bin/task-worker.js";

await runTaskWorker(process.argv);

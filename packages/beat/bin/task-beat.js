#!/usr/bin/env node
import { run } from "../dist/bin/task-beat.js";

await run(process.argv);

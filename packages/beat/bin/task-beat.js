#!/usr/bin/env node
import { runTaskBeat } from "../dist/bin/task-beat.js";

await runTaskBeat(process.argv);

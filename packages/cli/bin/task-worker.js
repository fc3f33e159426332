#!/usr/bin/env node
import { runTaskWorker } from "@bullrush/worker/command";

await runTaskWorker(process.argv);

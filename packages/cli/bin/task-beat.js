#!/usr/bin/env node
import { runTaskBeat } from "@bullrush/beat/command";

await runTaskBeat(process.argv);

#!/usr/bin/env node
import { runBullrush } from "../dist/bin/bullrush.js";

await runBullrush(process.argv);

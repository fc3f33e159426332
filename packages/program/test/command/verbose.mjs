// Writes far more than a pipe holds, and ends.
import { runCommand } from "@bullrush/program/command";

await runCommand("verbose", async () => {
  for (let line = 0; line < 200_000; line++) process.stdout.write(`line ${line}\n`);
  return 0;
});

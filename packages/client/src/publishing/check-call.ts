import { checkOptions, isList, refuse } from "../options/check.js";
import { callChecks, type CallSettings } from "../options/task-options.js";

/**
 * Checks a call. Throws `INVALID_OPTION` for arguments that are not an array, an option that is
 * unknown or invalid, and for both `countdown` and `eta`; `INVALID_QUEUE_NAME`; `INVALID_TASK_ID`.
 */
export function checkCall(task: string, args: readonly unknown[], options: CallSettings): void {
  isList(args, `what was given for the arguments of ${task}`);
  checkOptions(options, callChecks, `in the options of the call of ${task}`);
  if (options.countdown !== undefined && options.eta !== undefined) {
    refuse(`"countdown" in the options of the call of ${task}`, "given beside eta", "one of the two");
  }
}

/**
 * Loaded into every thread before anything else (`node --import`): ends the worker thread that takes the step that was
 * asked for. A step is the moment before or after a record that any worker writes to the scheduler.
 */
import { getEnvironmentData, isMainThread } from "node:worker_threads";
import { Line } from "../../../dist/runtime/local/line.js";

if (!isMainThread) {
  /** [steps left until the fault, 0 for none] */
  const fault = new Int32Array(getEnvironmentData("fault"));
  const step = () => {
    if (Atomics.load(fault, 0) > 0 && Atomics.sub(fault, 0, 1) === 1) process.exit(1);
  };
  for (const name of ["commit", "commitQuietly"]) {
    const commit = Line.prototype[name];
    Line.prototype[name] = function (type, words) {
      step();
      commit.call(this, type, words);
      step();
    };
  }
}

import { ThreadWorker } from "poolifier";
import noop, { add, busy } from "./tasks.mjs";

export default new ThreadWorker({ noop, add, busy });

import workerpool from "workerpool";
import noop, { add, busy } from "./tasks.mjs";

workerpool.worker({ noop, add, busy });

/** A kernel's life under Jupyter's own client (`jupyter_client`). */
import { describePythonTests } from "../support/python-tests.ts";

describePythonTests("under jupyter_client", { program: "kernel_life.py", atLeast: 10, timeout: 150_000 });

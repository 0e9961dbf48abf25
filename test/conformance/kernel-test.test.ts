/** The Jupyter project's own kernel tests (`jupyter_kernel_test`). */
import { describePythonTests } from "../support/python-tests.ts";

describePythonTests("jupyter_kernel_test", {
  program: "kernel_conformance.py",
  atLeast: 12,
  notOffered: new Map([["test_pager", "the kernel has no pager; help is shown as the cell's output"]]),
  timeout: 150_000,
});

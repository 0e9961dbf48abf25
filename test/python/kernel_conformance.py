"""Runs jupyter_kernel_test against the installed kernel `heddle` and prints one JSON line for each of its tests."""

import json
import sys
import unittest

import jupyter_kernel_test


class HeddleKernelTests(jupyter_kernel_test.KernelTests):
    kernel_name = "heddle"
    language_name = "typescript"
    file_extension = ".ts"

    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('hello, error')"
    code_generate_error = "throw new RangeError('on purpose')"
    code_inspect_sample = "Math.hypot"
    code_clear_output = "import { clearOutput } from 'heddle/notebook';\nclearOutput();"

    code_execute_result = [
        {"code": "1 + 2 + 3", "result": "6"},
        {"code": "[1, 2, 3].map((n) => n * 10)", "result": "[ 10, 20, 30 ]"},
        {"code": "await Promise.resolve('later')", "result": "'later'"},
        {"code": "interface Point { x: number }\nconst point: Point = { x: 1 };\npoint", "result": "{ x: 1 }"},
    ]
    code_display_data = [
        {"code": "import { display, html } from 'heddle/notebook';\ndisplay(html('<b>bold</b>'));", "mime": "text/html"},
        {"code": "import { display, markdown } from 'heddle/notebook';\ndisplay(markdown('*soft*'));", "mime": "text/markdown"},
        {"code": "import { display } from 'heddle/notebook';\ndisplay({ plain: true });", "mime": "text/plain"},
    ]

    completion_samples = [
        {"text": "Math.hyp", "matches": {"hypot"}},
        {"text": "[1, 2].fla", "matches": {"flat", "flatMap"}},
    ]
    complete_code_samples = ["1 + 1", "const a = 1;", "function f() {\n  return 1;\n}", "await Promise.resolve(1)", ""]
    incomplete_code_samples = ["function f() {", "const a = [1,", "if (true) {", "`a template", "f(1,"]
    invalid_code_samples = ["const = 1;", "let x = ;", "}"]

    code_history_pattern = "1?+*2*"
    supported_history_operations = ("tail", "range", "search")


class JsonResult(unittest.TestResult):
    """Prints each test's outcome as soon as it is known."""

    def startTest(self, test):
        super().startTest(test)
        self.problem = self.skip = None

    def addError(self, test, err):
        super().addError(test, err)
        self.problem = self.errors[-1][1]
        if not hasattr(test, "_testMethodName"):  # the fixture of the class failed: no test ran
            self.report(str(test))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.problem = self.failures[-1][1]

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.problem = f"{subtest}\n{self._exc_info_to_string(err, test)}"

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.skip = reason

    def stopTest(self, test):
        super().stopTest(test)
        self.report(test._testMethodName)

    def report(self, name):
        outcome = "failed" if self.problem else "skipped" if self.skip else "passed"
        print(json.dumps({"name": name, "outcome": outcome, "detail": self.problem or self.skip}), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:  # another kernel, to try this program itself
        HeddleKernelTests.kernel_name = sys.argv[1]
    result = JsonResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(HeddleKernelTests).run(result)
    sys.exit(0 if result.wasSuccessful() else 1)

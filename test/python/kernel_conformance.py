"""Runs jupyter_kernel_test against the installed kernel `heddle` and prints one JSON line for each of its tests."""

import sys

import json_report
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


if __name__ == "__main__":
    if len(sys.argv) > 1:  # another kernel, to try this program itself
        HeddleKernelTests.kernel_name = sys.argv[1]
    json_report.run(HeddleKernelTests)

"""Runs the tests of a unittest class and prints one JSON line for each, for the test runner that started this program."""

import json
import sys
import unittest


def run(case):
    result = JsonResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    sys.exit(0 if result.wasSuccessful() else 1)


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

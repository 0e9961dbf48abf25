// Prints the closing line from vitest's JSON report: node totals.mjs RESULTS [failed command…]. Exits 1 unless all is well.
import { readFileSync } from "node:fs";

const [path, ...problems] = process.argv.slice(2);
const report = read(path);
const passed = report.numPassedTests;
const skipped = report.numPendingTests + report.numTodoTests;

// A file that did not load has no failed test, and an error outside the tests fails only the command: both count as one.
const broken = report.testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
);
for (const file of broken) console.log(`did not load: ${file.name}\n${file.message}`);
const failures = report.numFailedTests + broken.length;
const unexplained = problems.filter((command) => command !== "npm test" || failures === 0).length;

const notRun = report.testResults
  .flatMap((file) => file.assertionResults)
  .filter((test) => test.status === "pending" && test.fullName.includes("not run:"));
for (const test of notRun) console.log(`must run here: ${test.fullName}`);

const failed = failures + unexplained + notRun.length;
console.log(`${passed} passed, ${failed} failed, ${skipped - notRun.length} skipped`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
  }
}

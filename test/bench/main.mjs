// npm run bench -- [--quick] [--json] [row…]
// Rows beside their peers in one run: the peers of a row take turns, so that a change of the machine's pace meets all of
// them alike. Figures are medians; the ratio is that of a peer to heddle, so above 1 means that heddle is better.
import { parseArgs } from "node:util";
import { chartRows } from "./charts.mjs";
import { headlessRows } from "./headless.mjs";
import { kernelRows } from "./kernels.mjs";
import { loopRows } from "./loops.mjs";
import { poolRows } from "./pools.mjs";
import { storeRows } from "./store.mjs";
import { formatTable, machine, machineLine } from "./table.mjs";

const rows = [...poolRows, ...storeRows, ...kernelRows, ...headlessRows, ...loopRows, ...chartRows];

function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options: { quick: { type: "boolean" }, json: { type: "boolean" } } });
  } catch (error) {
    return usage(error.message);
  }
}

function usage(problem) {
  console.error(
    `${problem}\nusage: npm run bench -- [--quick] [--json] [row…]\nrows: ${rows.map((row) => row.name).join(", ")}`,
  );
  process.exit(2);
}

const { values, positionals } = readArguments();
const unknown = positionals.filter((name) => !rows.some((row) => row.name === name));
if (unknown.length > 0) usage(`unknown row: ${unknown.join(", ")}`);

const results = [];
if (!values.json) console.log(`${machineLine()}\n`);
for (const row of rows) {
  if (positionals.length > 0 && !positionals.includes(row.name)) continue;
  if (!values.json) console.error(`${row.name}: ${row.what}…`);
  const samples = await row.measure({ quick: values.quick ?? false });
  const result = { name: row.name, what: row.what, unit: row.unit, better: row.better, samples };
  results.push(result);
  // At once, so that a run that is stopped has shown what it measured.
  if (!values.json) console.log(`${formatTable([result])}\n`);
}
if (values.json) console.log(JSON.stringify({ machine: machine(), results }, undefined, 2));
if (results.some(({ samples }) => Object.values(samples).some((measured) => !Array.isArray(measured))))
  process.exitCode = 1;

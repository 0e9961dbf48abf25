/** The package as npm gives it to a user: packed, installed in an empty folder, used from there. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  projectFolder,
  pythonEnvironment,
  pythonMissing,
  pythonProgram,
  runPython,
  strict,
} from "../support/python.ts";
import { emptyJupyterHome } from "../support/python-jupyter.ts";

const execute = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "heddle-package-"));
  // Without scripts: `prepare` would build into the folder that the other tests run from.
  await execute("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: projectFolder });
  const [tarball] = readdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "newcomer", private: true, type: "module" }));
  await execute("npm", ["install", "--no-audit", "--no-fund", `./${tarball}`], { cwd: folder });
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a plain program runs tasks", { timeout: 30_000 }, async () => {
  const program = `
    import { get, init, remote, shutdown } from "heddle";
    await init({ numCpus: 2 });
    const square = remote((x) => x * x);
    console.log(await get([1, 2, 3].map((x) => square.remote(x))));
    await shutdown();
  `;
  writeFileSync(join(folder, "program.mjs"), program);
  const { stdout, stderr } = await execute(process.execPath, ["program.mjs"], { cwd: folder });
  expect({ stdout, stderr }).toEqual({ stdout: "[ 1, 4, 9 ]\n", stderr: "" });
});

test("heddle run runs a notebook", { timeout: 60_000 }, async () => {
  const source = 'import { get, remote } from "heddle";\nawait get(remote((x: number) => x + 1).remote(41))';
  const cells = [{ cell_type: "code", id: "only", metadata: {}, execution_count: null, outputs: [], source }];
  const kernelspec = { name: "heddle", display_name: "TypeScript (heddle)", language: "typescript" };
  const notebook = { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells };
  writeFileSync(join(folder, "one.ipynb"), JSON.stringify(notebook));
  await execute("npx", ["heddle", "run", "one.ipynb", "--output", "ran.ipynb"], { cwd: folder });
  const ran = JSON.parse(readFileSync(join(folder, "ran.ipynb"), "utf8"));
  const result = { output_type: "execute_result", execution_count: 1, data: { "text/plain": ["42"] } };
  expect(ran.cells[0].outputs).toContainEqual(expect.objectContaining(result));
});

test("heddle install writes a kernelspec that starts this installation", { timeout: 30_000 }, async () => {
  await execute("npx", ["heddle", "install", "--prefix", join(folder, "prefix")], { cwd: folder });
  const kernelspec = join(folder, "prefix/share/jupyter/kernels/heddle");
  expect(readdirSync(kernelspec)).toEqual(expect.arrayContaining(["kernel.json", "plotly.min.js"]));
});

const missing = strict ? undefined : pythonMissing;
test.skipIf(missing !== undefined)(
  `npx heddle install, then a notebook elsewhere on disk: a Jupyter client runs it${missing === undefined ? "" : `: not run: ${missing}`}`,
  { timeout: 240_000 },
  async () => {
    await pythonEnvironment();
    using home = emptyJupyterHome();
    const env = { ...process.env, ...home.env, JUPYTER_PATH: "", VIRTUAL_ENV: "", CONDA_PREFIX: "" };
    await execute("npx", ["heddle", "install", "--user"], { cwd: folder, env });
    const doctor = await execute("npx", ["heddle", "doctor"], { cwd: folder, env }).catch((error) => error);
    expect(doctor.stdout).toMatch(/^ok +kernelspec: /m);
    expect(doctor.stdout).toMatch(/^ok +a cell: /m);
    const elsewhere = join(home.folder, "else where");
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, "twice.ts"), "export const twice = (x: number): number => 2 * x;\n");
    const sources = [
      'import { get, remote } from "heddle";\nimport { twice } from "./twice.ts";',
      "const task = remote(function task(x: number) { return twice(x); });\nawait get(task.remote(21))",
      "const wrong: number = twice('x');",
    ];
    const cells = sources.map((source, i) => ({
      cell_type: "code",
      id: `c${i}`,
      metadata: { tags: i === 2 ? ["raises-exception"] : [] },
      execution_count: null,
      outputs: [],
      source,
    }));
    const kernelspec = { name: "heddle", display_name: "TypeScript (heddle)", language: "typescript" };
    const source = join(elsewhere, "a.ipynb");
    writeFileSync(source, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }));
    const run = await runPython([pythonProgram("run_notebook.py"), source, join(elsewhere, "ran.ipynb")], { env });
    expect(run, run.stderr).toMatchObject({ status: 0 });
    const ran = JSON.parse(readFileSync(join(elsewhere, "ran.ipynb"), "utf8"));
    expect(ran.cells[1].outputs).toContainEqual(expect.objectContaining({ data: { "text/plain": ["42"] } }));
    expect(ran.cells[2].outputs).toContainEqual(expect.objectContaining({ ename: "TypeScriptError" }));
  },
);

test.runIf(process.platform === "linux" && process.arch === "x64")(
  "what is installed takes the room that the README says",
  () => {
    const stated = Number(/^(\d+) MB \(Linux, x64\)/m.exec(readFileSync(join(projectFolder, "README.md"), "utf8"))![1]);
    const files = readdirSync(join(folder, "node_modules"), { recursive: true, withFileTypes: true });
    const bytes = files.reduce(
      (sum, file) => sum + (file.isFile() ? statSync(join(file.parentPath, file.name)).size : 0),
      0,
    );
    const measured = bytes / 1e6;
    expect(measured).toBeGreaterThan(0.9 * stated);
    expect(measured).toBeLessThan(1.1 * stated);
  },
);

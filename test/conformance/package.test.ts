/** The package as npm gives it to a user: packed, installed in an empty folder, used from there. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectFolder } from "../support/python.ts";

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

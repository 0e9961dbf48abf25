/** `heddle doctor`: each finding, on a machine that has the fault. */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkMemory, checkNode, checkProcessors } from "../../dist/kernel/cli/doctor-machine.js";
import { Workshop } from "../support/headless.ts";

/** A doctor who knows nothing of the machine but what is in the folder of the test. */
async function doctor(shop: Workshop, env: NodeJS.ProcessEnv = {}) {
  const nothing = {
    JUPYTER_DATA_DIR: join(shop.folder, "data"),
    JUPYTER_PATH: "",
    VIRTUAL_ENV: "",
    CONDA_PREFIX: "",
    PATH: "",
  };
  return shop.start(["doctor"], { ...nothing, ...env }).finished;
}

/** Makes `import` of a package fail in the process that is started with this environment. */
function without(name: string): NodeJS.ProcessEnv {
  const hooks = `export async function resolve(specifier, context, next) { if (specifier === "${name}") throw new Error("no ${name} for this platform\\nmore"); return next(specifier, context); }`;
  const loader = `import { register } from "node:module"; register("data:text/javascript,${encodeURIComponent(hooks)}");`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(loader)}` };
}

/** A `jupyter` on a PATH of its own that lists these kernelspec folders. */
function fakeJupyter(
  shop: Workshop,
  folders: readonly string[],
  versions = "jupyterlab : 4.6.6\nnotebook : 7.6.5",
): string {
  const bin = join(shop.folder, "bin");
  mkdirSync(bin, { recursive: true });
  const kernelspecs = Object.fromEntries(folders.map((folder, i) => [`k${i}`, { resource_dir: folder }]));
  const program = `#!/bin/sh\nif [ "$1" = kernelspec ]; then echo '${JSON.stringify({ kernelspecs })}'; else echo '${versions}'; fi\n`;
  writeFileSync(join(bin, "jupyter"), program);
  chmodSync(join(bin, "jupyter"), 0o755);
  return [bin, "/bin", "/usr/bin"].join(delimiter);
}

describe("the machine", () => {
  test.each([
    ["20.18.3", "broken"],
    ["20.19.0", "ok"],
    ["21.7.0", "broken"],
    ["22.11.0", "broken"],
    ["22.12.0", "ok"],
    ["23.1.0", "broken"],
    ["24.0.0", "ok"],
    ["26.1.0", "ok"],
  ])("Node %s is %s", (version, state) => {
    const finding = checkNode(version);
    expect(finding.state).toBe(state);
    expect(/install 20\.19/.test(finding.detail)).toBe(state === "broken");
  });

  test("one processor and little memory are warned of", () => {
    expect(checkProcessors(1)).toMatchObject({
      state: "warning",
      detail: expect.stringContaining("one after the other"),
    });
    expect(checkProcessors(2)).toMatchObject({ state: "ok", detail: "2" });
    expect(checkMemory(512 * 1024 ** 2)).toMatchObject({ state: "warning", detail: expect.stringContaining("0.5 GB") });
    expect(checkMemory(8 * 1024 ** 3)).toMatchObject({ state: "ok", detail: "8.0 GB" });
  });

  test("a machine without Jupyter: nothing is broken, and a cell runs", async () => {
    using shop = new Workshop();
    const { code, stderr, stdout } = await doctor(shop);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^missing +kernelspec: .*heddle install$/m);
    expect(stdout).toMatch(/^missing +Jupyter: .*pip install jupyterlab$/m);
    for (const name of ["zeromq", "piscina", "oxc-parser", "oxc-transform", "@resvg/resvg-js"])
      expect(stdout).toContain(`ok       ${name}: loads\n`);
    expect(stdout).toContain("ok       typescript: has its compiler for this platform\n");
    expect(stdout).toMatch(/^ok +a cell: is type-checked and runs a task, in [\d.]+ s/m);
  });

  test("a package that does not load, and what follows of it for cells", async () => {
    using shop = new Workshop();
    const { code, stdout } = await doctor(shop, without("piscina"));
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^broken +piscina: no piscina for this platform; install heddle again on this machine: npm install$/m,
    );
    expect(stdout).toMatch(/^ok +zeromq: loads$/m);
    expect(stdout).toMatch(/^broken +a cell: .*no piscina for this platform/m);
  });
});

describe("kernelspecs", () => {
  async function installed(shop: Workshop): Promise<string> {
    await shop.start(["install"], { JUPYTER_DATA_DIR: join(shop.folder, "data") }).finished;
    return join(shop.folder, "data/kernels/heddle");
  }
  const change = (folder: string, edit: (spec: { argv: string[] }) => void): void => {
    const spec = JSON.parse(readFileSync(join(folder, "kernel.json"), "utf8"));
    edit(spec);
    writeFileSync(join(folder, "kernel.json"), JSON.stringify(spec));
  };

  test("one that is sound and that Jupyter lists", async () => {
    using shop = new Workshop();
    const folder = await installed(shop);
    const { code, stdout } = await doctor(shop, { PATH: fakeJupyter(shop, [folder]) });
    expect(code).toBe(0);
    expect(stdout).toContain(`ok       kernelspec: ${folder}/kernel.json\n`);
    expect(stdout).toContain("ok       Jupyter: JupyterLab 4.6.6, Notebook 7.6.5\n");
  });

  test.each([
    [
      "starts a Node that is gone",
      "broken",
      (spec: { argv: string[] }) => spec.argv.splice(0, 1, "/gone/node"),
      "points to /gone/node, which is gone; run heddle install",
    ],
    [
      "starts a heddle that is gone",
      "broken",
      (spec: { argv: string[] }) => spec.argv.splice(1, 1, "/gone/main.js"),
      "points to /gone/main.js, which is gone; run heddle install",
    ],
  ])("one that %s", async (_what, state, edit, words) => {
    using shop = new Workshop();
    change(await installed(shop), edit);
    const { code, stdout } = await doctor(shop);
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^${state} +kernelspec: .*${words}$`, "m"));
  });

  test("one that starts another installation, and one without Plotly", async () => {
    using shop = new Workshop();
    const folder = await installed(shop);
    rmSync(join(folder, "plotly.min.js"));
    expect((await doctor(shop)).stdout).toMatch(
      /^warning +kernelspec: .*no plotly\.min\.js, so charts stay pictures; run heddle install$/m,
    );
    shop.write("main.js", "");
    change(folder, (spec) => spec.argv.splice(1, 1, join(shop.folder, "main.js")));
    expect((await doctor(shop)).stdout).toMatch(
      /^warning +kernelspec: .*starts another heddle, .*run heddle install to start this one$/m,
    );
  });

  test("one that cannot be read; other programs' kernels are nobody's business", async () => {
    using shop = new Workshop();
    for (const name of ["heddle", "other", "python3"])
      mkdirSync(join(shop.folder, "data/kernels", name), { recursive: true });
    shop.write("data/kernels/heddle/kernel.json", "{");
    shop.write("data/kernels/other/kernel.json", "{");
    shop.write("data/kernels/python3/kernel.json", '{"argv": ["python", "-m", "ipykernel_launcher"]}');
    const { code, stdout } = await doctor(shop);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^broken +kernelspec: .*heddle\/kernel\.json cannot be read: .*; run heddle install$/m);
    expect(stdout.match(/kernelspec:/g)).toHaveLength(1);
  });

  test("one where this Jupyter does not look; a Jupyter without a front end; one that fails", async () => {
    using shop = new Workshop();
    const folder = await installed(shop);
    const blind = await doctor(shop, { PATH: fakeJupyter(shop, ["/elsewhere"]) });
    expect(blind.code).toBe(1);
    expect(blind.stdout).toMatch(
      /^broken +Jupyter: the jupyter on the PATH does not look at .*run heddle install --sys-prefix in its environment$/m,
    );
    const bare = await doctor(shop, { PATH: fakeJupyter(shop, [folder], "jupyterlab : not installed") });
    expect(bare.stdout).toMatch(/^ok +Jupyter: without JupyterLab; .*pip install jupyterlab$/m);
    writeFileSync(join(shop.folder, "bin/jupyter"), "#!/bin/sh\nexit 3\n");
    const failing = await doctor(shop, { PATH: [join(shop.folder, "bin"), "/bin"].join(delimiter) });
    expect(failing.stdout).toMatch(/^warning +Jupyter: jupyter kernelspec list fails: /m);
  });
});

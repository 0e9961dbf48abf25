/** heddle install: writes the kernelspec. */
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { kernelJson, parseTarget } from "./kernelspec.ts";
import { drawLogo } from "./logo.ts";
import { EXIT_FAILED, EXIT_OK } from "./usage.ts";

const help = `heddle install [--user | --sys-prefix | --prefix DIR] [--name N] [--display-name TEXT]

Makes the kernel known to Jupyter by writing a kernelspec.
  --user          for this user (default)
  --sys-prefix    into the active Python environment
  --prefix DIR    into DIR/share/jupyter
  --name N        the kernel's name, default heddle`;

export async function command(args: string[]): Promise<number> {
  const { target, displayName, help: asked } = parseTarget("install", args);
  if (asked) {
    console.log(help);
    return EXIT_OK;
  }
  const { folder, name } = target;
  // A half-written kernelspec would be worse than none: all of it appears at once.
  const draft = `${folder}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(folder), { recursive: true });
    mkdirSync(draft);
    writeFileSync(join(draft, "kernel.json"), `${JSON.stringify(kernelJson(displayName), null, 2)}\n`);
    const logo = await drawLogo();
    writeFileSync(join(draft, "logo-svg.svg"), logo.svg);
    writeFileSync(join(draft, "logo-32x32.png"), logo.png32);
    writeFileSync(join(draft, "logo-64x64.png"), logo.png64);
    const require = createRequire(import.meta.url);
    cpSync(require.resolve("plotly.js-basic-dist-min"), join(draft, "plotly.min.js"));
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  } catch (error) {
    if (existsSync(draft)) rmSync(draft, { recursive: true });
    console.error(`heddle install: cannot write ${folder}: ${(error as Error).message}`);
    return EXIT_FAILED;
  }
  console.log(`Installed the kernel "${displayName}" as ${name} in ${folder}`);
  console.log(`Open a notebook with it:  jupyter lab   (choose "${displayName}" in the launcher)`);
  if (target.scope === "prefix")
    console.log("Jupyter looks there only when its own prefix, or JUPYTER_PATH, points to it.");
  return EXIT_OK;
}

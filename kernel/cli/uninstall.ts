/** heddle uninstall: removes the kernelspec that install wrote. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseTarget } from "./kernelspec.ts";
import { EXIT_FAILED, EXIT_OK } from "./usage.ts";

const help = `heddle uninstall [--user | --sys-prefix | --prefix DIR] [--name N]

Removes the kernelspec that heddle install wrote with the same options.`;

export function command(args: string[]): Promise<number> {
  return Promise.resolve(uninstall(args));
}

function uninstall(args: string[]): number {
  const { target, help: asked } = parseTarget("uninstall", args);
  if (asked) {
    console.log(help);
    return EXIT_OK;
  }
  const { folder, name } = target;
  const file = join(folder, "kernel.json");
  if (!existsSync(file)) {
    console.error(`heddle uninstall: there is no kernel ${name} in ${folder}`);
    return EXIT_FAILED;
  }
  if (!readFileSync(file, "utf8").includes('"kernel"') || !/heddle|cli\/main\.js/.test(readFileSync(file, "utf8"))) {
    console.error(`heddle uninstall: the kernel in ${folder} is not heddle's; it was left alone`);
    return EXIT_FAILED;
  }
  rmSync(folder, { recursive: true });
  console.log(`Removed the kernel ${name} from ${folder}`);
  return EXIT_OK;
}

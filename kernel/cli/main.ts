#!/usr/bin/env node
/** The command line: `heddle <command>`; each command is a file of its own, loaded when it is asked for. */
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, UsageError } from "./usage.ts";

const help = `heddle: a Jupyter kernel for TypeScript with a Ray-like task runtime inside

  heddle install     make the kernel known to Jupyter
  heddle uninstall   take it away again
  heddle run         run notebooks headless, without Jupyter and without Python
  heddle convert     a notebook as a page, a script or Markdown, and a script as a notebook
  heddle kernel      the kernel itself, as a Jupyter client starts it
  heddle doctor      check this machine

heddle <command> --help says more about each.`;

type Command = (args: string[]) => Promise<number>;

const commands: Record<string, () => Promise<{ command: Command }>> = {
  install: () => import("./install.ts"),
  uninstall: () => import("./uninstall.ts"),
  run: () => import("./run.ts"),
  convert: () => import("./convert.ts"),
  kernel: () => import("./kernel.ts"),
  doctor: () => import("./doctor.ts"),
};

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    console.log(help);
    return name === undefined ? EXIT_USAGE : EXIT_OK;
  }
  if (name === "--version" || name === "-v") {
    const { version } = await import("../version.ts");
    console.log(version);
    return EXIT_OK;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined)
    throw new UsageError(
      `heddle: there is no command ${JSON.stringify(name)}; the commands are ${Object.keys(commands).join(", ")}`,
    );
  return (await load()).command(args);
}

// Whoever read the output has seen enough (`heddle run … | head`); what was started ends with this process.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT_FAILED);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
}

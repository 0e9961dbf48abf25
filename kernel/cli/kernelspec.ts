/** Where kernelspecs live, and what heddle's is made of. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { activePythonPrefix, userDataFolder } from "../environment.ts";
import { parseCommand, UsageError } from "./usage.ts";

export interface Target {
  name: string;
  folder: string;
  /** Whether Jupyter looks there by itself. */
  scope: "user" | "sys-prefix" | "prefix";
}

const options = {
  user: { type: "boolean" },
  "sys-prefix": { type: "boolean" },
  prefix: { type: "string" },
  name: { type: "string" },
  "display-name": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** Options that install and uninstall share. */
export function parseTarget(command: string, args: string[]): { target: Target; displayName: string; help: boolean } {
  const { values, positionals } = parseCommand(command, args, options);
  if (positionals.length > 0)
    throw new UsageError(
      `heddle ${command}: unexpected argument ${JSON.stringify(positionals[0])}; see heddle ${command} --help`,
    );
  const chosen = [values.user, values["sys-prefix"], values.prefix !== undefined].filter((one) => one === true).length;
  if (chosen > 1) throw new UsageError(`heddle ${command}: --user, --sys-prefix and --prefix exclude each other`);
  const name = values.name ?? "heddle";
  if (!/^[a-zA-Z0-9._-]+$/.test(name))
    throw new UsageError(
      `heddle ${command}: --name may have letters, digits, ".", "_" and "-" only, not ${JSON.stringify(name)}`,
    );
  const scope = values.prefix !== undefined ? "prefix" : values["sys-prefix"] === true ? "sys-prefix" : "user";
  const data = scope === "user" ? userDataFolder() : join(values.prefix ?? systemPrefix(command), "share", "jupyter");
  const target: Target = { name, folder: join(data, "kernels", name), scope };
  return { target, displayName: values["display-name"] ?? "TypeScript (heddle)", help: values.help === true };
}

function systemPrefix(command: string): string {
  const active = activePythonPrefix();
  if (active !== undefined) return active;
  for (const python of ["python3", "python"]) {
    try {
      return execFileSync(python, ["-c", "import sys; print(sys.prefix)"], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    } catch {
      // The other name may exist.
    }
  }
  throw new UsageError(
    `heddle ${command}: --sys-prefix needs a Python to ask for its prefix, and there is none on the PATH; use --prefix DIR or --user`,
  );
}

/** The content of kernel.json. */
export function kernelJson(displayName: string): object {
  const main = fileURLToPath(new URL("./main.js", import.meta.url));
  return {
    argv: [process.execPath, main, "kernel", "--connection-file", "{connection_file}"],
    display_name: displayName,
    language: "typescript",
    interrupt_mode: "message",
    metadata: { debugger: true },
  };
}

import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { displaySymbol, type MimeBundle, type Shown, showValue } from "./mime-bundle.ts";
import { currentNotebook, type SessionOptions } from "./notebook-link.ts";

/** How `display` shows a value. */
export interface DisplayOptions {
  /** By this name the output can be replaced later; default a fresh one. */
  displayId?: string;
  /** Replaces every output of that `displayId` instead of adding one; default false. */
  update?: boolean;
  /** The value is a MIME bundle, to be shown as it is; default false. */
  raw?: boolean;
}

/** An output that is shown, and can be replaced. */
export class Display {
  /** Its name, as Jupyter's messages carry it. */
  readonly displayId: string;

  constructor(displayId: string) {
    this.displayId = displayId;
  }

  /** Replaces what is shown, in place, also from a later cell. */
  async update(value: unknown, options: { raw?: boolean } = {}): Promise<void> {
    await display(value, { ...options, displayId: this.displayId, update: true });
  }

  /** As the value of a cell it shows nothing: its output is there already. */
  [displaySymbol](): MimeBundle {
    return {};
  }
}

/**
 * Shows a value under the running cell, as rich as a cell's own value, and returns a handle to replace it.
 * Outside a notebook its text is printed. Example: `const bar = await display("0 %"); await bar.update("50 %")`.
 */
export async function display(value: unknown, options: DisplayOptions = {}): Promise<Display> {
  checkDisplayOptions(options);
  const displayId = options.displayId ?? randomUUID();
  const notebook = currentNotebook();
  const showing = options.raw ? rawBundle(value) : showValue(value, notebook ?? { plotlyMime: false });
  // No await where nothing is to be waited for: a caller that does not await gets its output in order all the same.
  const shown = showing instanceof Promise ? await showing : showing;
  const output = shown ?? { data: { "text/plain": "undefined" }, metadata: {} };
  if (notebook === undefined) console.log(output.data["text/plain"] ?? Object.keys(output.data).join(", "));
  else notebook.display({ ...output, displayId, update: options.update ?? false });
  return new Display(displayId);
}

/** Removes the running cell's output so far; with `wait` only when the next output comes, which does not flicker. */
export function clearOutput({ wait = false }: { wait?: boolean } = {}): void {
  currentNotebook()?.clearOutput(wait);
}

/**
 * Asks the user for a line of text; with `password` it is not shown. In a terminal it asks there.
 * Rejects where nobody can be asked, as in a headless run.
 */
export async function input(prompt = "", { password = false }: { password?: boolean } = {}): Promise<string> {
  const notebook = currentNotebook();
  return notebook === undefined ? askTerminal(String(prompt), password) : notebook.input(String(prompt), password);
}

const settings: Record<keyof SessionOptions, readonly unknown[]> = {
  timeline: ["auto", "off"],
  check: ["error", "warn", "off"],
  plotlyMime: [true, false],
};

/**
 * Sets how the notebook behaves from now on: `timeline` "auto" or "off" (whether cells with tasks draw their chart),
 * `check` "error", "warn" or "off" (what a type error does), `plotlyMime` (whether Plotly figures are sent as such).
 * Throws a TypeError for anything else; does nothing outside a notebook.
 */
export function configure(options: SessionOptions): void {
  for (const [name, value] of Object.entries(options)) {
    const allowed = settings[name as keyof SessionOptions];
    if (allowed === undefined) {
      throw new TypeError(
        `configure has no option ${JSON.stringify(name)}; it has ${Object.keys(settings).join(", ")}`,
      );
    }
    if (!allowed.includes(value)) {
      throw new TypeError(
        `configure: ${name} must be one of ${allowed.map((one) => JSON.stringify(one)).join(", ")}, got ${String(value)}`,
      );
    }
  }
  currentNotebook()?.configure({ ...options });
}

function checkDisplayOptions(options: DisplayOptions): void {
  for (const name of Object.keys(options)) {
    if (!["displayId", "update", "raw"].includes(name)) {
      throw new TypeError(`display has no option ${JSON.stringify(name)}; it has displayId, update, raw`);
    }
  }
  if (options.update && options.displayId === undefined) {
    throw new TypeError("display with update needs the displayId of the output to replace");
  }
}

function rawBundle(value: unknown): Shown {
  if (typeof value !== "object" || value === null || !Object.keys(value).every((name) => name.includes("/"))) {
    throw new TypeError('display with raw takes a MIME bundle, such as { "text/plain": "hello" }');
  }
  return { data: value as MimeBundle, metadata: {} };
}

async function askTerminal(prompt: string, password: boolean): Promise<string> {
  if (!process.stdin.isTTY) throw new Error("input() cannot ask: there is neither a notebook nor a terminal");
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (password) process.stdout.write(prompt);
  const terminal = createInterface({
    input: process.stdin,
    output: password ? silent : process.stdout,
    terminal: true,
  });
  try {
    return await terminal.question(password ? "" : prompt);
  } finally {
    terminal.close();
  }
}

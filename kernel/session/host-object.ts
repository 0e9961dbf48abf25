import { resumeRuntime } from "../../runtime/host.ts";
import { showValue } from "../display/mime-bundle.ts";
import { describeText } from "../display/plain-text.ts";
import { leaveAsyncScopes } from "./async-scopes.ts";
import { beginStart, finishStart, latestCell, newCell } from "./cell-context.ts";
import { describeError } from "./cell-error.ts";
import { CellModules } from "./cell-modules.ts";
import { createCommands } from "./commands.ts";
import {
  InterruptedError,
  interruptAwaits,
  interruptible,
  interruptibleItems,
  nextTurn,
} from "./interrupted-awaits.ts";
import type { NotebookLine } from "./notebook-line.ts";
import { restoreGlobals } from "./vital-globals.ts";
import type { LineMessage } from "./watchdog.ts";

/** Defines `__heddle__`, through which compiled cells reach the session and the watchdog reaches the main thread. */
export function defineHostObject(notebook: NotebookLine, post: (message: LineMessage) => void): void {
  const modules = new CellModules(process.cwd());
  const session = sessionSide(notebook, post);
  Object.defineProperty(globalThis, "__heddle__", {
    value: {
      turn: () => interruptible(nextTurn()),
      await: interruptible,
      iterate: interruptibleItems,
      import: (specifier: unknown, options?: object) => modules.import(specifier, options),
      require: modules.require,
      meta: modules.meta,
      dirname: modules.dirname,
      filename: modules.filename,
      commands: createCommands((leader, isRunning) =>
        post({ type: "send", message: { type: "processGroup", leader, isRunning } }),
      ),
      session,
    },
  });
}

function tellRestored(names: string[]): void {
  process.stderr.write(
    `heddle: the global ${names.join(", ")} was gone, without which nothing runs here; it has been put back\n`,
  );
}

/** What the watchdog calls, by the inspector. Calls with a value of the user's come in a turn of their own. */
function sessionSide(notebook: NotebookLine, post: (message: LineMessage) => void) {
  return {
    turn: nextTurn,

    /** The script of this cell comes next. The same cell may begin several times: script, value, expressions. */
    begin(id: number, label: string, allowStdin: boolean): void {
      const restored = restoreGlobals();
      if (restored.length > 0) tellRestored(restored);
      resumeRuntime();
      const latest = latestCell();
      beginStart(latest.id === id ? latest : newCell(id, label, allowStdin));
    },

    begun: finishStart,

    interrupt(): void {
      interruptAwaits(latestCell());
    },

    freeze(): void {
      latestCell().frozen = true;
    },

    prepareCut: leaveAsyncScopes,

    async showResult(value: unknown, expression?: string): Promise<void> {
      const shown = await interruptible(showValue(value, notebook));
      const isEmpty = shown === undefined || Object.keys(shown.data).length === 0;
      if (!isEmpty) post({ type: "result", ...shown, expression });
    },

    /** How a variable is shown while its thread is paused: what would take a promise is shown as text. */
    showVariable(value: unknown): string {
      const shown = showValue(value, notebook);
      const asText = { data: { "text/plain": describeText(value) }, metadata: {} };
      return JSON.stringify(shown === undefined || shown instanceof Promise ? asText : shown);
    },

    describe(thrown: unknown): string {
      if (thrown instanceof InterruptedError) return JSON.stringify({ interrupted: true });
      return JSON.stringify({ error: describeError(thrown) });
    },
  };
}

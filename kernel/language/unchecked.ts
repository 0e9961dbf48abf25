import type { CellSource, CheckResult, CompletionList, LanguageEngine } from "./engine.ts";
import { CellScope } from "./server/cell-scope.ts";
import { toCompletions, wordAt } from "./server/completion.ts";

/** Stands in where there is no compiler to ask: cells run unchecked, and the names of earlier cells complete. */
export class UncheckedEngine implements LanguageEngine {
  readonly serverPid = undefined;
  readonly #scope = new CellScope();
  readonly #reason: string;

  constructor(reason: string) {
    this.#reason = reason;
  }

  check(): Promise<CheckResult> {
    return Promise.resolve({ diagnostics: [], unchecked: `The cell was not type-checked: ${this.#reason}.` });
  }

  commit({ cell, source }: CellSource): void {
    this.#scope.commit({ cell, source });
  }

  complete(source: string, offset: number): Promise<CompletionList> {
    return Promise.resolve(toCompletions(null, source, wordAt(source, offset), this.#scope.names()));
  }

  reset(): void {
    this.#scope.clear();
  }

  inspect(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A session through its published interface, with what it says collected; ends with the test that opened it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session, type SessionStart } from "../../dist/kernel/session/session.js";
import { compileCell } from "../../kernel/language/compiler.ts";
import { NotebookNames } from "../../kernel/language/visible-names.ts";
import type { Evaluated, FromSession, SessionExit } from "../../kernel/session/protocol.ts";
import { MessageLog } from "./message-log.ts";

export type Message = Exclude<FromSession, Evaluated>;

export interface RunOptions {
  silent?: boolean;
  allowStdin?: boolean;
  expressions?: Record<string, string>;
}

export class SessionHarness implements AsyncDisposable {
  readonly folder: string;
  readonly session: Session;
  readonly #log = new MessageLog<Message>();
  readonly messages: Message[] = this.#log.received;
  readonly exits: SessionExit[] = [];
  cell = 0;
  readonly #names = new NotebookNames();

  constructor(options: Partial<SessionStart> = {}) {
    this.folder = mkdtempSync(join(tmpdir(), "heddle-session-"));
    this.session = new Session({ cwd: this.folder, ...options });
    this.session.on("message", (message) => this.#log.add(message));
    this.session.on("exit", (exit) => {
      this.exits.push(exit);
    });
  }

  /** Compiles and runs a cell; its label is the next number. */
  async run(source: string, { silent = false, allowStdin = false, expressions }: RunOptions = {}): Promise<Evaluated> {
    const cell = String(++this.cell);
    const script = compileCell(source, { cell, notebook: this.#names });
    const compiled = Object.entries(expressions ?? {}).map(([name, text]) => [name, compileCell(text, { cell }).code]);
    const evaluated = await this.session.evaluate({
      cell,
      code: script.code,
      silent,
      allowStdin,
      ...(expressions && { expressions: Object.fromEntries(compiled) as Record<string, string> }),
    });
    this.#names.add(script, evaluated.outcome.status === "ok");
    return evaluated;
  }

  /** The text of the cell's value, or what went wrong instead. */
  async value(source: string): Promise<unknown> {
    const { outcome } = await this.run(source);
    return outcome.status === "ok" ? outcome.data?.["text/plain"] : outcome;
  }

  /** Everything a cell has printed on a stream so far. */
  text(cell: number | string, name?: "stdout" | "stderr"): string {
    return this.messages
      .flatMap((message) =>
        message.type === "stream" && message.cell === String(cell) && (name === undefined || message.name === name)
          ? [message.text]
          : [],
      )
      .join("");
  }

  /** Resolves with the first message, past or to come, that fits. */
  message<T extends Message>(fits: (message: Message) => message is T): Promise<T>;
  message(fits: (message: Message) => boolean): Promise<Message>;
  message(fits: (message: Message) => boolean): Promise<Message> {
    return this.#log.next(fits);
  }

  /** Resolves once the cell has printed this. */
  async printed(cell: number | string, text: string): Promise<void> {
    await this.message(
      (message) => message.type === "stream" && message.cell === String(cell) && this.text(cell).includes(text),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.shutdown();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Whether a process with this id exists and is no zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

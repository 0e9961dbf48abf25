/** What was executed, in this and in earlier sessions: `history_request`. One private file, bounded. */
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface Entry {
  session: number;
  line: number;
  source: string;
  /** The cell's result as text, if it had one. */
  output?: string;
}

const KEPT = 5000;
/** An entry longer than this is kept in memory only. */
const LONGEST = 100_000;

export class History {
  readonly #file: string | undefined;
  #entries: Entry[] = [];
  /** The file is there, and nobody else's to read. */
  #isPrivate = false;
  readonly session: number;

  /** Without a file nothing is kept beyond this session. */
  constructor(file: string | undefined) {
    this.#file = file;
    if (file !== undefined) this.#entries = readEntries(file);
    this.session = (this.#entries.at(-1)?.session ?? 0) + 1;
    if (file !== undefined && this.#entries.length > KEPT) this.#rewrite(file);
  }

  #rewrite(file: string): void {
    this.#entries = this.#entries.slice(-KEPT);
    const draft = `${file}.${process.pid}.tmp`;
    try {
      writeFileSync(draft, this.#entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""), { mode: 0o600 });
      renameSync(draft, file);
    } catch {
      // History is a convenience; a read-only home must not stop the kernel.
    }
  }

  add(line: number, source: string, output?: string): void {
    const entry = { session: this.session, line, source, ...(output !== undefined && { output }) };
    this.#entries.push(entry);
    if (this.#file === undefined || source.length + (output?.length ?? 0) > LONGEST) return;
    try {
      if (!this.#isPrivate) this.#makePrivate(this.#file);
      appendFileSync(this.#file, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
      this.#isPrivate = true;
    } catch {
      // As above.
      this.#isPrivate = false;
    }
  }

  #makePrivate(file: string): void {
    mkdirSync(dirname(file), { recursive: true });
    if (existsSync(file)) chmodSync(file, 0o600);
  }

  /** The last `n`. */
  tail(n: number): Entry[] {
    return n > 0 ? this.#entries.slice(-n) : [];
  }

  /** Lines `start` to before `stop` of a session; 0 is this one, -1 the one before. */
  range(session: number, start: number, stop: number): Entry[] {
    const number = session <= 0 ? this.session + session : session;
    return this.#entries.filter((entry) => entry.session === number && entry.line >= start && entry.line < stop);
  }

  /** Entries whose source matches a pattern with `*` and `?`, the last `n` of them. */
  search(pattern: string, n: number, unique: boolean): Entry[] {
    const escaped = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", "[\\s\\S]*")
      .replaceAll("?", "[\\s\\S]");
    const matches = new RegExp(`^${escaped}$`);
    let found = this.#entries.filter((entry) => matches.test(entry.source));
    if (unique) found = [...new Map(found.map((entry) => [entry.source, entry])).values()];
    return n > 0 ? found.slice(-n) : found;
  }
}

function readEntries(file: string): Entry[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    try {
      const entry = JSON.parse(line) as Entry;
      return typeof entry.source === "string" && typeof entry.session === "number" ? [entry] : [];
    } catch {
      // A line that was cut by a crash.
      return [];
    }
  });
}

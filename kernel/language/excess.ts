/**
 * What keeps a text from being parsed, found before anybody tries.
 *
 * Depth: the parser is native code, and where it runs out of stack the process ends. Not only brackets nest: so do `!!!a`,
 * `a = b = c`, `a => b => c`, `if (a) if (b)`, labels, `else if`, `1 + 1 + 1`.
 *
 * Length: nothing else is answered while a cell is compiled, which takes a second for a program of the longest kind.
 */

/** A bracket stands for several levels of the tree, any other sign for one. */
const perBracket = 3;
/** Deeper trees are more than the functions that walk them can take. */
const deepest = 3_000;
/** Words, texts and signs. */
const mostTokens = 300_000;
/** UTF-16 code units, of which most can be one text in quotes. */
const longest = 100_000_000;

/** Words that may stand before an expression or a statement and make it part of something larger. */
const nestingWord =
  /^(typeof|void|delete|await|new|yield|if|else|do|for|while|in|of|instanceof|as|satisfies|keyof|extends|infer|readonly|unique|async|asserts|is|abstract|return|throw|try|catch|finally)$/;
/** Words that go on with what stands in the line before. */
const goesOn = /^(else|catch|finally|while|in|of|instanceof|as|satisfies|extends|is)$/;
const controlWord = /^(if|for|while|await|with)$/;
const declaration =
  /(?:const|let|var|function|class|import|export|interface|type|enum|namespace|declare|abstract class|async function)\s*[\s*{[]\s*[\w$*{["'`]/y;
const word = /[\p{ID_Continue}$]+/uy;

type Kind = "space" | "line" | "quote" | "template" | "open" | "close" | "end" | "slash" | "sign" | "word";
const kinds = new Map<string, Kind>([
  ...[..." \t\r"].map((sign): [string, Kind] => [sign, "space"]),
  ...[..."([{"].map((sign): [string, Kind] => [sign, "open"]),
  ...[...")]}"].map((sign): [string, Kind] => [sign, "close"]),
  ...[...";,"].map((sign): [string, Kind] => [sign, "end"]),
  ...[..."!~+-*%=<>&|^?:.@"].map((sign): [string, Kind] => [sign, "sign"]),
  ["'", "quote"],
  ['"', "quote"],
  ["`", "template"],
  ["/", "slash"],
  ["\n", "line"],
]);
const byCode = Array.from({ length: 128 }, (_, code): Kind => kinds.get(String.fromCharCode(code)) ?? "word");

function kindOf(text: string, at: number): Kind {
  return byCode[text.charCodeAt(at)] ?? "word";
}

/** What a bracket closes. */
interface Level {
  bracket: string;
  /** Signs before it in the statement around it. */
  signs: number;
  /** `if (…)`, after which a statement follows that belongs to it. */
  isControl: boolean;
}

/** Why a text is not parsed, and where. */
export interface Excess {
  at: number;
  message: string;
}

/**
 * What is too much of the text; undefined where nothing is. What it takes for deeper than it is are at most texts of
 * thousands of signs without any end of a statement.
 */
export function findExcess(text: string): Excess | undefined {
  // Most cells are too short for any of it.
  if (text.length < deepest / perBracket) return undefined;
  if (isTooLong(text)) {
    const size = `${Math.round(text.length / 1e6)} million characters`;
    return { at: 0, message: `This cell has ${size}, and ${longest / 1e6} million are the most: ${advice}` };
  }
  return new ExcessScan(text).run();
}

/** Whether a text is longer than a cell may be. */
export function isTooLong(text: string): boolean {
  return text.length > longest;
}

const advice = "put the data into a file, and read the file in the cell";

class ExcessScan {
  readonly #text: string;
  readonly #levels: Level[] = [];
  /** The depth of all levels around. */
  #around = 0;
  /** Signs since the statement, or the part between commas, began. */
  #signs = 0;
  /** What the last token was: a sign, the end of a value, or a word that goes on. */
  #last: "value" | "control" | "block" | "open" = "open";
  #lastWord = "";
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): Excess | undefined {
    let isFirst = true;
    let tokens = 0;
    while (this.#at < this.#text.length) {
      const start = this.#at;
      const kind = kindOf(this.#text, start);
      if (kind === "space" || kind === "line") {
        isFirst ||= kind === "line";
        this.#at++;
      } else if (kind !== "slash" || !this.#skipComment()) {
        if (isFirst) this.#beginLine();
        isFirst = false;
        this.#token(kind);
        if (this.#around + this.#signs > deepest) return { at: start, message: "The program is nested too deep here" };
        if (++tokens > mostTokens)
          return {
            at: start,
            message: `The program is too long: here it has ${mostTokens.toLocaleString("en")} words and signs; ${advice}`,
          };
      }
    }
    return undefined;
  }

  #skipComment(): boolean {
    const opening = this.#text.slice(this.#at, this.#at + 2);
    if (opening !== "//" && opening !== "/*") return false;
    const end = this.#text.indexOf(opening === "//" ? "\n" : "*/", this.#at + 2);
    this.#at = end < 0 ? this.#text.length : opening === "//" ? end : end + 2;
    return true;
  }

  /** A line begins a statement where what stands before it has come to an end. */
  #beginLine(): void {
    declaration.lastIndex = this.#at;
    const name = this.#wordAt(this.#at);
    const isEnd = this.#last === "value" || this.#last === "block";
    const begins = name !== "" && !goesOn.test(name);
    if ((isEnd && begins) || (this.#last !== "open" && declaration.test(this.#text))) this.#signs = 0;
  }

  /** Takes what begins here. */
  #token(kind: Kind): void {
    if (kind === "word") this.#word();
    else if (kind === "quote") this.#quoted(this.#text[this.#at]!);
    else if (kind === "template") this.#template(1);
    else if (kind === "slash" && this.#last !== "value") this.#regularExpression();
    else {
      const at = this.#at++;
      if (kind === "open") this.#open(this.#text[at]!);
      else if (kind === "close") this.#close();
      else {
        this.#signs = kind === "end" ? 0 : this.#signs + 1;
        this.#last = "open";
      }
    }
  }

  #word(): void {
    const name = this.#wordAt(this.#at);
    if (name === "") {
      this.#at++;
      return;
    }
    if (/^(case|default)$/.test(name) && this.#text[this.#at - 1] !== ".") this.#signs = 0;
    this.#at += name.length;
    this.#lastWord = name;
    if (nestingWord.test(name)) this.#signs++;
    this.#last = nestingWord.test(name) ? "open" : "value";
  }

  #wordAt(at: number): string {
    word.lastIndex = at;
    return word.exec(this.#text)?.[0] ?? "";
  }

  #open(bracket: string): void {
    const isControl = bracket === "(" && this.#last === "open" && controlWord.test(this.#lastWord);
    this.#levels.push({ bracket, signs: this.#signs, isControl });
    this.#around += this.#signs + perBracket;
    this.#signs = 0;
    this.#last = "open";
  }

  #close(): void {
    const level = this.#levels.pop();
    if (level === undefined) return;
    this.#around -= level.signs + perBracket;
    // `a()()` nests, too.
    this.#signs = level.signs + 1;
    this.#last = level.bracket === "{" ? "block" : level.isControl ? "control" : "value";
    if (level.bracket === "`") this.#template(0);
  }

  #quoted(quote: string): void {
    const special = quote === '"' ? /["\\\n]/g : /['\\\n]/g;
    special.lastIndex = this.#at + 1;
    let found = special.exec(this.#text);
    while (found !== null && found[0] === "\\") {
      special.lastIndex = found.index + 2;
      found = special.exec(this.#text);
    }
    this.#at = found === null ? this.#text.length : found.index + 1;
    this.#last = "value";
  }

  /** The text of a template from here to its end, or to the next expression in it. */
  #template(opening: number): void {
    this.#signs += opening;
    let at = this.#at + opening;
    while (at < this.#text.length && this.#text[at] !== "`") {
      if (this.#text[at] === "$" && this.#text[at + 1] === "{") {
        this.#at = at + 2;
        this.#open("`");
        return;
      }
      at += this.#text[at] === "\\" ? 2 : 1;
    }
    this.#at = Math.min(at + 1, this.#text.length);
    this.#last = "value";
  }

  #regularExpression(): void {
    let isClass = false;
    let at = this.#at + 1;
    while (at < this.#text.length && this.#text[at] !== "\n" && (isClass || this.#text[at] !== "/")) {
      if (this.#text[at] === "[") isClass = true;
      if (this.#text[at] === "]") isClass = false;
      at += this.#text[at] === "\\" ? 2 : 1;
    }
    this.#at = Math.min(at + 1, this.#text.length);
    this.#last = "value";
  }
}

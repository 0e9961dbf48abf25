import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { declarationText } from "../declarations.ts";
import type { CellSource, Inspection } from "../engine.ts";
import { plainNames } from "./cell-scope.ts";
import type { LspRange } from "./diagnostics.ts";

type Markup = string | { kind: string; value: string };

export interface LspHover {
  contents: Markup;
}

export interface LspSignatureHelp {
  signatures: {
    label: string;
    documentation?: Markup;
    parameters?: { label: string | [number, number]; documentation?: Markup }[];
  }[];
  activeSignature?: number;
  activeParameter?: number;
}

export type LspLocation =
  | { uri: string; range: LspRange }
  | { targetUri: string; targetRange: LspRange; targetSelectionRange: LspRange };

/** What the documents were made of that stand for cells. */
export interface CellDocuments {
  cellOf(document: string): CellSource | undefined;
  textOf(document: string): string | undefined;
}

/** A declaration longer than this is cut; the file is named anyway. */
const MAX_SOURCE_LINES = 60;

/** What a user asked about, as Markdown and as plain text. */
export function toInspection(
  hover: LspHover | null,
  signatures: LspSignatureHelp | null,
  definition: LspLocation[] | LspLocation | null,
  cells: CellDocuments,
): Inspection | undefined {
  const markdown =
    hover === null
      ? describeCall(signatures)
      : [tidy(markupText(hover.contents)), describeDefinition(definition, cells)]
          .filter((part) => part !== "")
          .join("\n\n");
  // What the compiler says of a name that nobody has declared.
  const isUnknown = /^```\w*\nany\n```$/.test(markdown.trim());
  return markdown === "" || isUnknown ? undefined : { markdown, text: toPlainText(markdown) };
}

function markupText(markup: Markup | undefined): string {
  return typeof markup === "string" ? markup : (markup?.value ?? "");
}

/** Takes out what shows how cells reach each other, and links into files on this machine. */
function tidy(markdown: string): string {
  return plainNames(markdown)
    .replaceAll(/^\(alias\) /gm, "")
    .replaceAll(/\nimport [\w$]+(?=\n```)/g, "")
    .replaceAll(/\[([^\]]*)\]\(file:[^)]*\)/g, "`$1`");
}

/** The signatures of the call around the cursor, the one that fits first, and the parameter the cursor is at. */
function describeCall(help: LspSignatureHelp | null): string {
  if (help === null || help.signatures.length === 0) return "";
  const active = help.activeSignature ?? 0;
  const [chosen, others] = [help.signatures[active], help.signatures.filter((_, index) => index !== active)];
  if (chosen === undefined) return "";
  const parameter = chosen.parameters?.[help.activeParameter ?? 0];
  const name =
    typeof parameter?.label === "string" ? parameter.label : chosen.label.slice(...(parameter?.label ?? [0, 0]));
  const about = markupText(parameter?.documentation);
  return tidy(
    [
      `\`\`\`typescript\n${[chosen, ...others].map(({ label }) => label).join("\n")}\n\`\`\``,
      markupText(chosen.documentation),
      name === "" ? "" : `*@param* \`${name}\`${about === "" ? "" : ` — ${about}`}`,
    ]
      .filter((part) => part !== "")
      .join("\n\n"),
  );
}

/** The text of the declaration and where it stands. */
function describeDefinition(definition: LspLocation[] | LspLocation | null, cells: CellDocuments): string {
  const location = Array.isArray(definition) ? definition[0] : definition;
  if (location == null) return "";
  const { uri, range, selection } =
    "targetUri" in location
      ? { uri: location.targetUri, range: location.targetRange, selection: location.targetSelectionRange }
      : { ...location, selection: location.range };
  if (!uri.startsWith("file:")) return "";
  const path = fileURLToPath(uri);
  const document = basename(path);
  if (/^(?:query|scratch|names)\.ts$/.test(document)) return "";
  const cell = cells.cellOf(document);
  const text = cells.textOf(document) ?? readText(path);
  if (text === undefined) return "";
  const lines = text.split("\n").slice(range.start.line, range.end.line + 1);
  // A cell may stand there with its types written out: what the user wrote is in its source.
  const name = text.split("\n")[selection.start.line]?.slice(selection.start.character, selection.end.character) ?? "";
  const declaration = cell === undefined ? undefined : declarationText(cell.source, name)?.split("\n");
  const where =
    cell === undefined ? `Declared in \`${path}\`, line ${range.start.line + 1}` : `Declared in cell ${cell.cell}`;
  const all = declaration ?? lines;
  const shown = all.length > MAX_SOURCE_LINES ? [...all.slice(0, MAX_SOURCE_LINES), "…"] : all;
  return `${where}:\n\n\`\`\`typescript\n${shown.join("\n")}\n\`\`\``;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Markdown as a terminal shows it. */
function toPlainText(markdown: string): string {
  return markdown
    .replaceAll(/^```\w*\n?/gm, "")
    .replaceAll(/\*(@\w+)\*/g, "$1")
    .replaceAll(/(?<!`)`([^`\n]+)`(?!`)/g, "$1")
    .trim();
}

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { Inspection } from "../engine.ts";
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

export type LspLocation = { uri: string; range: LspRange } | { targetUri: string; targetRange: LspRange };

/** A declaration longer than this is cut; the file is named anyway. */
const MAX_SOURCE_LINES = 60;

/** What a user asked about, as Markdown and as plain text. */
export function toInspection(
  hover: LspHover | null,
  signatures: LspSignatureHelp | null,
  definition: LspLocation[] | LspLocation | null,
): Inspection | undefined {
  const markdown =
    hover === null
      ? describeCall(signatures)
      : [tidy(markupText(hover.contents)), describeDefinition(definition)].filter((part) => part !== "").join("\n\n");
  return markdown === "" ? undefined : { markdown, text: toPlainText(markdown) };
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
function describeDefinition(definition: LspLocation[] | LspLocation | null): string {
  const location = Array.isArray(definition) ? definition[0] : definition;
  if (location == null) return "";
  const [uri, range] =
    "targetUri" in location ? [location.targetUri, location.targetRange] : [location.uri, location.range];
  if (!uri.startsWith("file:")) return "";
  const path = fileURLToPath(uri);
  const cell = /^cell-([^.]+)\.ts$/.exec(basename(path))?.[1];
  if (/^(?:query|scratch|names)\.ts$/.test(basename(path))) return "";
  let lines: string[];
  try {
    lines = readFileSync(path, "utf8")
      .split("\n")
      .slice(range.start.line, range.end.line + 1);
  } catch {
    return "";
  }
  const where =
    cell === undefined ? `Declared in \`${path}\`, line ${range.start.line + 1}` : `Declared in cell ${cell}`;
  const shown = lines.length > MAX_SOURCE_LINES ? [...lines.slice(0, MAX_SOURCE_LINES), "…"] : lines;
  return `${where}:\n\n\`\`\`typescript\n${shown.join("\n")}\n\`\`\``;
}

/** Markdown as a terminal shows it. */
function toPlainText(markdown: string): string {
  return markdown
    .replaceAll(/^```\w*\n?/gm, "")
    .replaceAll(/\*(@\w+)\*/g, "$1")
    .replaceAll(/(?<!`)`([^`\n]+)`(?!`)/g, "$1")
    .trim();
}

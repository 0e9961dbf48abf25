/** A notebook as one Markdown file. Charts are there as text: pictures within a Markdown file show almost nowhere. */
import { stripVTControlCharacters } from "node:util";
import { joined, type Notebook, type Output, sourceOf } from "./notebook.ts";

export function markdownOf({ cells }: Notebook): string {
  const parts = cells.flatMap((cell) => {
    const source = sourceOf(cell).trimEnd();
    if (cell.cell_type !== "code") return [source];
    return [...(source === "" ? [] : [fenced("ts", source)]), ...(cell.outputs ?? []).map(outputText)];
  });
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function outputText(output: Output): string {
  if (output.output_type === "stream") return fenced("text", joined(output.text));
  if (output.output_type === "error") return fenced("text", output.traceback.join("\n"));
  const markdown = joined(output.data["text/markdown"]);
  if (markdown !== "") return markdown.trimEnd();
  const picture = Object.keys(output.data).find((type) => type.startsWith("image/") && type !== "image/svg+xml");
  const text = joined(output.data["text/plain"]);
  // A picture alone has a text that only says what it is.
  return picture === undefined || text.includes("\n")
    ? fenced("text", text)
    : `![${text.replaceAll(/[[\]]/g, "")}](data:${picture};base64,${joined(output.data[picture]).trim()})`;
}

/** A block of code that no text within it can end. */
export function fenced(language: string, text: string): string {
  const runs = Array.from(text.matchAll(/`{3,}/g), ([run]) => run.length + 1);
  const fence = "`".repeat(Math.max(3, ...runs));
  return `${fence}${language}\n${stripVTControlCharacters(text).trimEnd()}\n${fence}`;
}

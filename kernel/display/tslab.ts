/**
 * What `import * as tslab from "tslab"` gives in a cell: the display functions of the kernel of that name, whether it is
 * installed or not, so that notebooks written for it run. Outside a notebook they throw.
 */
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { currentNotebook } from "./notebook-link.ts";

const { version } = createRequire(import.meta.url)("typescript/package.json") as { version: string };

/** The version of tslab whose interface this is, and those of what runs. */
export const versions: { tslab: string; typescript: string; node: string } = {
  tslab: "1.0.22",
  typescript: version,
  node: process.version,
};

/** Shows contents of one MIME type each. */
export interface Display {
  javascript(source: string): void;
  html(markup: string): void;
  markdown(text: string): void;
  latex(source: string): void;
  svg(source: string): void;
  png(bytes: Uint8Array): void;
  jpeg(bytes: Uint8Array): void;
  gif(bytes: Uint8Array): void;
  pdf(bytes: Uint8Array): void;
  text(text: string): void;
  raw(contentType: string, content: string | Uint8Array): void;
}

/** Adds an output with each call. */
export const display: Display = displayWith(undefined);

/** A display of one output: its first call adds it, each later one replaces it. */
export function newDisplay(): Display {
  return displayWith(randomUUID());
}

function displayWith(displayId: string | undefined): Display {
  let isShown = false;
  const raw = (contentType: string, content: string | Uint8Array): void => {
    const notebook = currentNotebook();
    if (notebook === undefined) throw new Error("tslab's display works in a notebook only");
    const text = typeof content === "string" ? content : Buffer.from(content).toString("base64");
    const update = isShown && displayId !== undefined;
    isShown = true;
    notebook.display({ data: { [contentType]: text }, metadata: {}, ...(displayId && { displayId }), update });
  };
  return {
    javascript: (source) => raw("text/javascript", source),
    html: (markup) => raw("text/html", markup),
    markdown: (text) => raw("text/markdown", text),
    latex: (source) => raw("text/latex", source),
    svg: (source) => raw("image/svg+xml", source),
    png: (bytes) => raw("image/png", bytes),
    jpeg: (bytes) => raw("image/jpeg", bytes),
    gif: (bytes) => raw("image/gif", bytes),
    pdf: (bytes) => raw("application/pdf", bytes),
    text: (text) => raw("text/plain", text),
    raw,
  };
}

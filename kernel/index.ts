/** `heddle/notebook`: what a cell can ask of the notebook it runs in. */

export { type Comm, type CommExtras, type CommMessage, openComm, registerCommTarget } from "./display/comm.ts";
export type { MimeBundle } from "./display/mime-bundle.ts";
export { clearOutput, configure, Display, type DisplayOptions, display, input } from "./display/notebook.ts";
export type { SessionOptions as NotebookOptions } from "./display/notebook-link.ts";
export { html, image, json, markdown, plot, type Rich, svg } from "./display/rich.ts";

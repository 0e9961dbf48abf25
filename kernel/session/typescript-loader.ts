/** Imported by a worker thread before it loads the first TypeScript file for a task; the address names the notebook's folder. */
import { loadTypeScript } from "./typescript-modules.ts";

loadTypeScript(new URL(import.meta.url).searchParams.get("folder")!, new Map());

/** Imported by a worker thread before it loads the first TypeScript file for a task. */
import { loadTypeScript } from "./typescript-modules.ts";

loadTypeScript();

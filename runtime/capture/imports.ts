/** Live values that came out of modules: value → how to import it again. */

export interface ImportedFrom {
  /** An absolute URL (`file:`, `node:`, `data:`) that any thread can import. */
  url: string;
  /** The export's name, or `*` for the namespace itself. */
  name: string;
}

const imported = new WeakMap<object, ImportedFrom>();

/** Remembers where a module's exports came from. Call it with each namespace that an import gave to user code. */
export function registerImport(namespace: object, url: string): void {
  imported.set(namespace, { url, name: "*" });
  for (const name of Object.keys(namespace)) {
    const value = (namespace as Record<string, unknown>)[name];
    if ((typeof value === "object" && value !== null) || typeof value === "function") {
      if (!imported.has(value)) imported.set(value, { url, name });
    }
  }
}

/** Where a value was imported from, if it was. */
export function importOf(value: object): ImportedFrom | undefined {
  return imported.get(value);
}

/** Modules that decoded values come from: imported once a thread, before the value is rebuilt. */

const loaded = new Map<string, Record<string, unknown>>();
const loading = new Map<string, Promise<void>>();

/** Whether all of them are there. */
export function modulesLoaded(urls: readonly string[]): boolean {
  for (const url of urls) if (!loaded.has(url)) return false;
  return true;
}

/** Imports those that are not there yet. Rejects with the import's own error. */
export async function loadModules(urls: readonly string[]): Promise<void> {
  await Promise.all(urls.map((url) => load(url)));
}

function load(url: string): Promise<void> | undefined {
  if (loaded.has(url)) return undefined;
  let promise = loading.get(url);
  if (promise === undefined) {
    promise = import(url).then((namespace: Record<string, unknown>) => {
      loaded.set(url, namespace);
    });
    promise.catch(() => {}).finally(() => loading.delete(url));
    loading.set(url, promise);
  }
  return promise;
}

/** An export of a loaded module; `*` is its namespace. */
export function exportOf(url: string, name: string): unknown {
  const namespace = loaded.get(url);
  if (namespace === undefined) throw new Error(`module ${url} is not loaded`);
  return name === "*" ? namespace : namespace[name];
}

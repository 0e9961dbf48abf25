// The kernel's process, and the session's two threads, as a few files each instead of a hundred: to find a small module
// takes Node longer than to run it, and whoever starts a kernel waits for all of them. What cells can import is not taken
// in, for there must be one of each.
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";

const kernel = fileURLToPath(new URL("dist/kernel/", import.meta.url));

/** Replaces entries, which stand in `folder`, by bundles of themselves and of what they import from `from`. */
function bundle(folder, entries, from = folder) {
  return {
    input: entries.map((entry) => folder + entry),
    external: (id) => !id.startsWith(".") && !id.startsWith(from),
    plugins: [keepPlaces(folder)],
    output: { dir: folder, format: "esm", chunkFileNames: "bundled-[name]-[hash].js" },
  };
}

/** What a module finds beside itself it finds from the bundle's place. */
function keepPlaces(folder) {
  return {
    name: "keep-places",
    transform(code, id) {
      if (dirname(id) === dirname(`${folder}x`) || !code.includes("import.meta.url")) return null;
      return code.replaceAll("import.meta.url", `new URL("./${relative(folder, id)}", import.meta.url).href`);
    },
  };
}

export default [
  bundle(kernel, ["process.js"], dirname(dirname(kernel))),
  bundle(`${kernel}session/`, ["process.js", "watchdog.js"]),
];

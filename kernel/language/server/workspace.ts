import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, parse, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isAlive } from "../../../runtime/host.ts";
import { readCompilerOptions } from "./tsconfig.ts";

const PREFIX = "heddle-language-";

/**
 * A private temporary folder that looks to the compiler like the notebook's own: it holds the notebook folder's path
 * again from the root, with a link to every `node_modules` above, there or not, so that packages resolve as they do for the notebook,
 * one installed later too. Relative imports resolve through `rootDirs`.
 */
export class Workspace {
  /** The folder of the cells' documents. */
  readonly folder: string;
  readonly notebookFolder: string;
  /** Whether a type that the compiler cannot tell is `any` without a word: unless the notebook's project forbids it. */
  allowsImplicitAny = true;
  readonly #root: string;

  constructor(notebookFolder: string) {
    this.notebookFolder = resolve(notebookFolder);
    sweepStale();
    this.#root = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
    this.folder = this.#mirror();
    this.writeConfig();
  }

  /** Whether a package is installed where the notebook would find it. */
  hasPackage(specifier: string): boolean {
    const name = specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/");
    return ancestors(this.notebookFolder).some((folder) => existsSync(join(folder, "node_modules", name)));
  }

  uri(name: string): string {
    return pathToFileURL(join(this.folder, name)).href;
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Writes the project file after the notebook folder's `tsconfig.json`; it is to be written again when that changes. */
  writeConfig(): void {
    const { base, own } = readCompilerOptions(this.notebookFolder);
    const nodeTypes = dirname(dirname(createRequire(import.meta.url).resolve("@types/node/package.json")));
    const packageRoot = findPackageRoot();
    this.allowsImplicitAny = own.noImplicitAny !== true;
    const config = {
      ...(base === undefined ? {} : { extends: base }),
      files: ["scratch.ts", "query.ts"],
      include: [],
      compilerOptions: {
        ...(base === undefined ? { strict: true } : {}),
        ...(own.lib === undefined ? { lib: ["esnext"] } : {}),
        // Even where it is allowed: without the option, `const list = []` is a `never[]`, which takes nothing.
        noImplicitAny: true,
        noImplicitThis: own.noImplicitThis ?? false,
        jsx: own.jsx ?? "react-jsx",
        target: "esnext",
        module: "esnext",
        moduleResolution: "bundler",
        moduleDetection: "force",
        allowImportingTsExtensions: true,
        resolveJsonModule: true,
        allowJs: true,
        skipLibCheck: true,
        noEmit: true,
        composite: false,
        incremental: false,
        declaration: false,
        isolatedModules: false,
        isolatedDeclarations: false,
        verbatimModuleSyntax: false,
        importHelpers: false,
        experimentalDecorators: own.experimentalDecorators ?? false,
        emitDecoratorMetadata: false,
        noUnusedLocals: false,
        noUnusedParameters: false,
        allowUnusedLabels: true,
        allowUnreachableCode: true,
        types: [...new Set(["node", ...(own.types ?? [])])],
        typeRoots: [
          ...ancestors(this.notebookFolder).map((folder) => join(folder, "node_modules", "@types")),
          nodeTypes,
        ],
        rootDirs: [parse(this.notebookFolder).root, this.#root],
        paths: {
          ...own.paths,
          heddle: [join(packageRoot, "dist/runtime/index.d.ts")],
          "heddle/notebook": [join(packageRoot, "dist/kernel/index.d.ts")],
          tslab: [join(packageRoot, "dist/kernel/display/tslab.d.ts")],
        },
      },
    };
    this.write("tsconfig.json", JSON.stringify(config));
  }

  /** Writes a project file for the declarations of some documents. Whatever else the compiler would write stays in the folder too. */
  writeEmitConfig(name: string, documents: readonly string[]): void {
    const compilerOptions = {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      noCheck: true,
      removeComments: false,
      stripInternal: false,
      rootDir: parse(this.folder).root,
      outDir: this.#emitFolder,
    };
    this.write(name, JSON.stringify({ extends: "./tsconfig.json", files: documents, include: [], compilerOptions }));
  }

  /** Where the declarations of a document are written. */
  emitted(document: string): string {
    const { root } = parse(this.folder);
    return join(this.#emitFolder, this.folder.slice(root.length), document.replace(/\.ts$/, ".d.ts"));
  }

  get #emitFolder(): string {
    return join(this.#root, ".emitted");
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #mirror(): string {
    const { root } = parse(this.notebookFolder);
    let mirrored = this.#root;
    for (const folder of ancestors(this.notebookFolder).toReversed()) {
      if (folder !== root) mirrored = join(mirrored, parse(folder).base);
      mkdirSync(mirrored, { recursive: true });
      symlinkSync(join(folder, "node_modules"), join(mirrored, "node_modules"), "junction");
    }
    return mirrored;
  }
}

/** A folder and those above it, nearest first. */
function ancestors(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}

/** The root of heddle's own installation, from sources and from `dist/` alike. */
function findPackageRoot(): string {
  const isRoot = (folder: string) => {
    const entry = statSync(join(folder, "package.json"), { throwIfNoEntry: false });
    return entry?.isFile() === true;
  };
  return ancestors(import.meta.dirname).find(isRoot) ?? import.meta.dirname;
}

/** Removes folders of kernels that ended without removing theirs. */
function sweepStale(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split("-")[0]) : Number.NaN;
    if (Number.isInteger(pid) && pid > 0 && !isAlive(pid))
      void rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {});
  }
}

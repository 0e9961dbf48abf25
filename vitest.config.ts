import { defineConfig } from "vitest/config";

/** Files whose figures are checked to within milliseconds, or that start a browser: alone on the machine, after all others. */
const alone = ["test/conformance/**/*.test.ts", "test/browser/**/*.test.ts"];

export default defineConfig({
  test: {
    pool: "forks",
    // What is tested is what is shipped: the compiled modules, loaded by Node itself.
    server: { deps: { external: [/\/dist\//] } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "product",
          include: ["test/**/*.test.ts"],
          exclude: alone,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: "clients", include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});

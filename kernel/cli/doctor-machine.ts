/** What the machine itself must have: Node, processors, memory, the packages for its platform. */
import { createRequire } from "node:module";
import { availableParallelism, totalmem } from "node:os";
import { findCompiler } from "../language/native-compiler.ts";
import type { Finding } from "./doctor.ts";

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const fits = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24;
  return {
    what: "Node",
    state: fits ? "ok" : "broken",
    detail: fits ? version : `${version} does not run heddle; install 20.19 or later, 22.12 or later, or 24`,
  };
}

export function checkProcessors(count: number = availableParallelism()): Finding {
  return {
    what: "processors",
    state: count > 1 ? "ok" : "warning",
    detail:
      count > 1 ? String(count) : "1; tasks that compute run one after the other here, those that wait side by side",
  };
}

/** Less, and a kernel with two workers and its language server have hardly room. */
const leastMemory = 1024 ** 3;

/** `bytes` is what this process may use: a container allows less than the machine has. */
export function checkMemory(bytes: number = availableMemory()): Finding {
  const gigabytes = (bytes / 1024 ** 3).toFixed(1);
  return {
    what: "memory",
    state: bytes >= leastMemory ? "ok" : "warning",
    detail:
      bytes >= leastMemory
        ? `${gigabytes} GB`
        : `${gigabytes} GB; a notebook takes about 0.3 GB, each worker 0.03 GB more: give the container 1 GB, or init({ numCpus: 1 })`,
  };
}

function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

const packages: Record<string, () => Promise<unknown>> = {
  zeromq: () => import("zeromq"),
  piscina: () => import("piscina"),
  "oxc-parser": () => import("oxc-parser"),
  "oxc-transform": () => import("oxc-transform"),
  "@resvg/resvg-js": () => import("@resvg/resvg-js"),
  "plotly.js-basic-dist-min": async () => createRequire(import.meta.url).resolve("plotly.js-basic-dist-min"),
};

export async function checkPackages(): Promise<Finding[]> {
  const findings = Object.entries(packages).map(async ([what, load]): Promise<Finding> => {
    try {
      await load();
      return { what, state: "ok", detail: "loads" };
    } catch (error) {
      const [reason] = (error as Error).message.split("\n", 1);
      return { what, state: "broken", detail: `${reason}; install heddle again on this machine: npm install` };
    }
  });
  const compiler = findCompiler();
  findings.push(
    Promise.resolve(
      compiler.missing === undefined
        ? { what: "typescript", state: "ok", detail: "has its compiler for this platform" }
        : { what: "typescript", state: "broken", detail: compiler.missing },
    ),
  );
  return Promise.all(findings);
}

// Rows about loops at the top level of a cell: as written, and the same text inside a function of a cell.
import { join } from "node:path";
import { inTurns, project } from "./processes.mjs";

const loops = {
  float: ["let s = 0.5;", "for (let i = 0; i < 2e7; i++) { s += i * 0.5; if (s < 0) break; }"],
  "typed-array": [
    "const f = new Float64Array(1_000); let q = 0;",
    "for (let i = 0; i < 1e7; i++) { q += f[i % 1_000]; f[(i * 7) % 1_000] = q; }",
  ],
  string: [
    "const t = 'abcdefgh'.repeat(1_000); let h = 0;",
    "for (let k = 0; k < 500; k++) for (let i = 0; i < t.length; i++) h = (h * 31 + t.charCodeAt(i)) | 0;",
  ],
  map: [
    "const m = new Map(); let w = 0;",
    "for (let i = 0; i < 1e6; i++) { m.set(i % 1_000, (m.get(i % 1_000) ?? 0) + 0.5); w += m.size; }",
  ],
  call: ["function root(x) { return Math.sqrt(x) + 1; } let c = 0;", "for (let i = 0; i < 2e7; i++) c += root(i);"],
};

export const loopRows = Object.entries(loops).map(([kind, [declarations, loop]]) => ({
  name: `loop-${kind}`,
  what: `a ${kind} loop at the top level of a cell; the peer is the same loop inside a function`,
  unit: "ms",
  better: "less",
  async measure({ quick }) {
    const cells = {
      heddle: `${declarations} ${loop}`,
      "in a function": `(function () { ${declarations} ${loop} })();`,
    };
    const run = await startSession();
    try {
      return await inTurns(Object.keys(cells), quick ? 2 : 8, (peer) => run(cells[peer]));
    } finally {
      await run.end();
    }
  },
}));

/** Runs cells in a session of their own and gives the milliseconds each took. */
async function startSession() {
  const { Session } = await import(join(project, "dist/kernel/session/session.js"));
  const { compileCell } = await import(join(project, "dist/kernel/language/compiler.js"));
  const session = new Session({ cwd: project });
  await session.ready();
  let count = 0;
  const run = async (source) => {
    const cell = String(++count);
    const { code } = compileCell(source, { cell });
    const began = performance.now();
    const { outcome } = await session.evaluate({ cell, code, silent: true, allowStdin: false });
    if (outcome.status !== "ok") throw new Error(`Error in a cell: ${JSON.stringify(outcome)}`);
    return performance.now() - began;
  };
  return Object.assign(run, { end: () => session.shutdown() });
}

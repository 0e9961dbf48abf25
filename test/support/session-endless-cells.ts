/** Cells that never end by themselves, one of each kind. Each prints "go" where its endless part begins. */
export interface EndlessCell {
  kind: string;
  source: string;
  /** How it must end; `either` where it depends on the moment. */
  how: "awaits" | "terminated" | "either";
  /** On these Node versions the cut may hit Node's own code in a state it does not survive: the session is replaced. */
  mayLose?: readonly number[];
}

const go = 'console.log("go");';

export const endlessCells: readonly EndlessCell[] = [
  { kind: "a while loop", source: `${go} while (true) {}`, how: "terminated" },
  {
    kind: "a loop in a timer",
    source: `setTimeout(() => { ${go} for (;;) {} }, 1); await new Promise(() => {})`,
    how: "either",
  },
  { kind: "a pending await", source: `${go} await new Promise(() => {})`, how: "awaits" },
  { kind: "a loop of awaits of nothing", source: `${go} for (;;) await null`, how: "either" },
  {
    kind: "a loop of microtasks",
    source: `${go} const spin = () => Promise.resolve().then(spin); await spin()`,
    how: "either",
  },
  {
    kind: "a loop in setImmediate",
    source: `setImmediate(() => { ${go} for (;;) {} }); await new Promise(() => {})`,
    how: "either",
  },
  {
    kind: "a loop in an emitter's listener",
    source: `process.once("x", () => { ${go} for (;;) {} }); setTimeout(() => process.emit("x")); await new Promise(() => {})`,
    how: "either",
  },
  {
    kind: "a loop in nextTick",
    source: `process.nextTick(() => { ${go} for (;;) {} }); await new Promise(() => {})`,
    how: "either",
  },
  {
    kind: "a loop that catches everything",
    source: `${go} for (;;) { try { for (;;) {} } catch {} }`,
    how: "terminated",
  },
  {
    kind: "a regular expression that backtracks",
    source: `${go} /^(a+)+$/.test("a".repeat(40) + "b")`,
    how: "terminated",
  },
  {
    kind: "Atomics.wait",
    source: `${go} Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
    how: "terminated",
  },
  {
    kind: "a loop of sleeps",
    source: `${go} for (;;) { await new Promise((wake) => setTimeout(wake, 3)); globalThis.ticks = (globalThis.ticks ?? 0) + 1; }`,
    how: "awaits",
  },
  {
    kind: "an await inside try and finally",
    source: `globalThis.cleaned = 0; ${go} try { await new Promise(() => {}) } finally { globalThis.cleaned = 1 }`,
    how: "awaits",
  },
  { kind: "a loop after an await", source: `await null; ${go} for (;;) {}`, how: "terminated" },
  {
    kind: "a loop that makes message channels",
    source: `${go} for (;;) { new MessageChannel().port1.postMessage({ a: 1 }); structuredClone({ b: [1, 2, 3] }) }`,
    how: "terminated",
    mayLose: [20, 22, 24],
  },
  {
    kind: "a loop that allocates",
    source: `${go} let q = []; for (;;) { q = [q.length, JSON.stringify({ a: q.length })] }`,
    how: "terminated",
  },
  {
    kind: "a loop of sleeps that catches everything",
    source: `${go} for (;;) { try { await new Promise((wake) => setTimeout(wake, 3)) } catch {} }`,
    how: "terminated",
  },
  {
    kind: "a loop of awaits that catches everything",
    source: `${go} for (;;) { try { await null } catch {} }`,
    how: "terminated",
  },
  { kind: "a printing loop", source: `${go} for (let i = 0; ; i++) console.log("line", i)`, how: "terminated" },
  {
    kind: "a printing loop of awaits",
    source: `${go} for (let i = 0; ; i++) { await null; console.log("line", i) }`,
    how: "either",
  },
  {
    kind: "for await over an endless generator",
    source: `async function* numbers() { for (let i = 0; ; i++) { await new Promise((wake) => setTimeout(wake, 1)); yield i } } ${go} for await (const i of numbers()) globalThis.last = i`,
    how: "awaits",
  },
  {
    kind: "an endless inspect of the value",
    source: `({ [Symbol.for("nodejs.util.inspect.custom")]() { ${go} for (;;) {} } })`,
    how: "terminated",
  },
  {
    kind: "an endless getter of the error",
    source: `throw Object.defineProperty(new Error(), "message", { get() { ${go} for (;;) {} } })`,
    how: "terminated",
    mayLose: [20, 22, 24],
  },
  {
    kind: "a loop in an interval",
    source: `globalThis.interval = setInterval(() => { clearInterval(globalThis.interval); ${go} for (;;) {} }, 1); await new Promise(() => {})`,
    how: "either",
  },
  {
    kind: "a loop under an AsyncLocalStorage",
    source: `import { AsyncLocalStorage } from "node:async_hooks"; globalThis.storage ??= new AsyncLocalStorage(); await storage.run("a", async () => { await null; ${go} for (;;) {} })`,
    how: "terminated",
  },
  {
    kind: "a loop in a timer under an AsyncLocalStorage",
    source: `import { AsyncLocalStorage } from "node:async_hooks"; globalThis.storage ??= new AsyncLocalStorage(); storage.run("a", () => setTimeout(() => { ${go} for (;;) {} }, 1)); await new Promise(() => {})`,
    how: "either",
  },
  {
    kind: "a loop of microtasks under an AsyncLocalStorage",
    source: `import { AsyncLocalStorage } from "node:async_hooks"; globalThis.storage ??= new AsyncLocalStorage(); const spin = () => Promise.resolve().then(spin); ${go} await storage.run("a", spin)`,
    how: "either",
    mayLose: [20, 22],
  },
];

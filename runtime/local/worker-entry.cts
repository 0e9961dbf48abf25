/**
 * What piscina loads into each thread. CommonJS on purpose: piscina tries `require` first, and Node 20 aborts the whole
 * process when a thread is ended in the middle of a `require` of an ES module, as happens when a program ends early.
 */
module.exports = {
  serve: async (start: unknown): Promise<void> => (await import("./worker.ts")).serve(start as never),
};

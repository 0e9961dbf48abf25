/**
 * Functions that lowered code calls, as source text: a script defines those it needs as top-level names, so that a
 * function sent to a worker takes them along like any helper of the user's.
 */
export type LoweringName = keyof typeof loweringRuntime;

export const loweringRuntime = {
  /** The resources of one block. Its errors combine as in the proposal: a later one suppresses the earlier. */
  __heddle_using: `function () {
  const resources = [];
  let failed = false;
  let failure;
  const fail = (error) => {
    failure = failed ? Object.assign(new Error("An error was suppressed during disposal"), { name: "SuppressedError", error, suppressed: failure }) : error;
    failed = true;
  };
  return {
    use(value, isAsync) {
      if (value === null || value === undefined) {
        if (isAsync) resources.push({});
        return value;
      }
      let method = isAsync ? value[Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")] : undefined;
      method ??= value[Symbol.dispose ?? Symbol.for("Symbol.dispose")];
      if (typeof method !== "function") throw new TypeError(isAsync ? "The value of 'await using' has no [Symbol.asyncDispose]() and no [Symbol.dispose]()" : "The value of 'using' has no [Symbol.dispose]()");
      resources.push({ value, method });
      return value;
    },
    fail,
    end() {
      for (let resource = resources.pop(); resource !== undefined; resource = resources.pop()) {
        try { resource.method.call(resource.value); } catch (error) { fail(error); }
      }
      if (failed) throw failure;
    },
    async endAsync() {
      for (let resource = resources.pop(); resource !== undefined; resource = resources.pop()) {
        try { await __heddle__.await(resource.method?.call(resource.value)); } catch (error) { fail(error); }
      }
      if (failed) throw failure;
    },
  };
}`,
} as const;

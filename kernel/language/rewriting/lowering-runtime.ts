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
  /** The decorators of one class, after the proposal of November 2023: applied in its order, with its contexts. */
  __heddle_decorators: `function () {
  const fields = [];
  const starts = { instance: [], static: [] };
  const run = (target, initializers) => { for (const initialize of initializers) initialize.call(target); };
  const contextOf = (element, metadata, initializers) => {
    const { kind, name, access, isStatic } = element;
    const isPrivate = typeof name === "string" && name.startsWith("#") && access !== undefined;
    const key = (object) => object[name];
    const context = { kind, name, metadata, addInitializer(initialize) {
      if (typeof initialize !== "function") throw new TypeError("addInitializer takes a function");
      initializers.push(initialize);
    } };
    if (kind === "class") return context;
    const publicAccess = { has: (object) => name in object, get: key, set: (object, value) => { object[name] = value; } };
    const full = access ?? publicAccess;
    const offered = { has: full.has };
    if (kind !== "setter") offered.get = full.get;
    if (kind !== "getter" && kind !== "method") offered.set = full.set;
    return Object.assign(context, { static: isStatic, private: isPrivate, access: offered });
  };
  const decorate = (decorators, value, element, metadata, initializers, accept) => {
    for (const decorator of [...decorators].reverse()) {
      if (typeof decorator !== "function") throw new TypeError("A decorator is a function, not " + typeof decorator);
      const result = decorator(value, contextOf(element, metadata, initializers));
      if (result !== undefined) value = accept(value, result);
    }
    return value;
  };
  const mustBeFunction = (value, result) => {
    if (typeof result !== "function") throw new TypeError("A decorator returns a function or nothing");
    return result;
  };
  const decorateField = (element, decorators, metadata) => {
    const field = (fields[element.index] = { initializers: [], after: [] });
    decorate(decorators, undefined, element, metadata, field.after, (value, result) => {
      field.initializers.unshift(mustBeFunction(value, result));
      return undefined;
    });
  };
  const decorateAccessor = (home, element, decorators, metadata) => {
    const field = (fields[element.index] = { initializers: [], after: [] });
    const { get, set, ...rest } = Object.getOwnPropertyDescriptor(home, element.name);
    const pair = decorate(decorators, { get, set }, element, metadata, field.after, (value, result) => {
      if (typeof result !== "object" || result === null) throw new TypeError("The decorator of an accessor returns an object or nothing");
      if (result.init !== undefined) field.initializers.unshift(mustBeFunction(undefined, result.init));
      return { get: result.get ?? value.get, set: result.set ?? value.set };
    });
    Object.defineProperty(home, element.name, { ...rest, ...pair });
  };
  const decorateMethod = (home, element, decorators, metadata, initializers) => {
    const slot = { method: "value", getter: "get", setter: "set" }[element.kind];
    const descriptor = Object.getOwnPropertyDescriptor(home, element.name);
    descriptor[slot] = decorate(decorators, descriptor[slot], element, metadata, initializers, mustBeFunction);
    Object.defineProperty(home, element.name, descriptor);
  };
  return {
    keys: [],
    result: undefined,
    apply(target, elements, classDecorators) {
      const parent = Object.getPrototypeOf(target);
      const symbol = Symbol.metadata ?? Symbol.for("Symbol.metadata");
      const metadata = Object.create(parent?.[symbol] ?? null);
      const order = ({ kind, isStatic }) => (kind === "field" ? 2 : 0) + (isStatic ? 0 : 1);
      for (const [element, decorators] of [...elements].sort(([a], [b]) => order(a) - order(b))) {
        const home = element.isStatic ? target : target.prototype;
        const initializers = element.isStatic ? starts.static : starts.instance;
        if (element.kind === "field") decorateField(element, decorators, metadata);
        else if (element.kind === "accessor") decorateAccessor(home, element, decorators, metadata);
        else decorateMethod(home, element, decorators, metadata, initializers);
      }
      const initializers = [];
      const element = { kind: "class", name: target.name };
      this.result = decorate(classDecorators, target, element, metadata, initializers, mustBeFunction);
      Object.defineProperty(this.result, symbol, { value: metadata, writable: true, enumerable: false, configurable: true });
      run(this.result, starts.static);
      run(this.result, initializers);
      return this.result;
    },
    /** TypeScript's older decorators, as its own helper applies them. */
    applyOld(target, elements, classDecorators) {
      for (const [element, decorators] of [...elements].sort(([a], [b]) => a.isStatic - b.isStatic)) {
        const home = element.isStatic ? target : target.prototype;
        const before = element.kind === "field" ? undefined : Object.getOwnPropertyDescriptor(home, element.name);
        let descriptor = before;
        for (const decorator of [...decorators].reverse()) descriptor = decorator(home, element.name, descriptor) || descriptor;
        if (descriptor) Object.defineProperty(home, element.name, descriptor);
      }
      this.result = target;
      for (const decorator of [...classDecorators].reverse()) this.result = decorator(this.result) || this.result;
      return this.result;
    },
    parameter(index, decorator) { return (target, key) => { decorator(target, key, index); }; },
    start(instance) { run(instance, starts.instance); },
    init(instance, index, value) {
      for (const initialize of fields[index].initializers) value = initialize.call(instance, value);
      return value;
    },
    after(instance, index) { run(instance, fields[index].after); },
  };
}`,
} as const;

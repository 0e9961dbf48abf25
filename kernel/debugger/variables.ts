/** Variables and the parts of their values, each list of them behind a number that the client asks by. */
import type { Runtime } from "node:inspector";
import { inUserNames } from "../language/user-names.ts";
import type { Variable } from "./dap.ts";
import type { InspectorLink } from "./inspector-link.ts";
import { lengthOf, typeText, valueText } from "./values.ts";

/** How many parts of a value are shown where the client does not say how many it wants. */
const mostParts = 1_000;

/** V8 holds what was looked at until the group is released. */
export const objectGroup = "debugger";

export interface Page {
  start: number;
  count: number;
}

type List = (page: Page | undefined) => Promise<Variable[]>;

interface Evaluated {
  result: Runtime.RemoteObject;
}

type Properties = Omit<Runtime.GetPropertiesReturnType, "result"> & {
  result: Runtime.PropertyDescriptor[];
  privateProperties?: Runtime.PropertyDescriptor[];
};

/** Properties in brackets that V8 makes up and that say something about a value. */
const telling = /^\[\[(Promise|Target|Handler|PrimitiveValue|Generator|Bound|WeakRef)/;

export class Variables {
  /** Whether types are told apart from values; JupyterLab shows nothing but the type where it is given one. */
  withTypes = false;
  readonly #inspector: InspectorLink;
  readonly #lists = new Map<number, List>();
  #lastReference = 0;

  constructor(inspector: InspectorLink) {
    this.#inspector = inspector;
  }

  /** What was told so far is void: the thread has gone on. Numbers are not used again. */
  forget(): void {
    if (this.#lists.size === 0) return;
    this.#lists.clear();
    this.#inspector.tell("Runtime.releaseObjectGroup", { objectGroup });
  }

  /** The number of a list that is made when it is asked for. */
  reference(list: List): number {
    this.#lists.set(++this.#lastReference, list);
    return this.#lastReference;
  }

  /** The list behind a number. Rejects for a number that is not known, or no more. */
  async list(reference: number, page?: Page): Promise<Variable[]> {
    const list = this.#lists.get(reference);
    if (list === undefined) throw new Error("this value is no longer known: what was paused has gone on since");
    return await list(page);
  }

  variable(name: string, value: Runtime.RemoteObject, evaluateName?: string): Variable {
    const { objectId } = value;
    const length = lengthOf(value);
    const list: List = (page) => this.#parts(value, page, evaluateName);
    return {
      name,
      value: valueText(value),
      ...(this.withTypes && { type: typeText(value) }),
      ...(evaluateName !== undefined && { evaluateName }),
      variablesReference: objectId === undefined ? 0 : this.reference(list),
      ...(length !== undefined && { indexedVariables: length }),
    };
  }

  /**
   * The variables that scripts call so, those among them that there are, as the paused frame sees them or without one
   * the notebook. Reading them runs no code of the user's.
   */
  async named(names: Iterable<string>, callFrameId?: string): Promise<Variable[]> {
    const reads = [...new Set(names)]
      .filter((name) => isName(name) && !inUserNames(name).startsWith("__heddle"))
      .map((name) => `try { found[${JSON.stringify(inUserNames(name))}] = ${name}; } catch {}`);
    const asked = {
      expression: `(() => { const found = { __proto__: null }; ${reads.join(" ")} return found; })()`,
      objectGroup,
      silent: true,
      disableBreaks: true,
    };
    const { result } =
      callFrameId === undefined
        ? await this.#inspector.call<Evaluated>("Runtime.evaluate", asked)
        : await this.#inspector.call<Evaluated>("Debugger.evaluateOnCallFrame", { ...asked, callFrameId });
    return result.objectId === undefined ? [] : this.members(result.objectId);
  }

  /** The own members of an object, as variables that stand for themselves. */
  async members(objectId: string): Promise<Variable[]> {
    const { result } = await this.#properties(objectId);
    return result.flatMap((property) => this.#fromProperty(property, property.name));
  }

  async #parts(object: Runtime.RemoteObject, page: Page | undefined, path: string | undefined): Promise<Variable[]> {
    const objectId = object.objectId!;
    const length = lengthOf(object);
    if (length !== undefined && (page !== undefined || length > mostParts)) {
      const { count, start } = page ?? { start: 0, count: mostParts };
      const shown = await this.#elements(objectId, { start, count: count === 0 ? mostParts : count }, path);
      return page === undefined ? withRest(shown, length) : shown;
    }
    const properties = await this.#properties(objectId);
    const { internalProperties = [], privateProperties = [] } = properties;
    const entries = internalProperties.find(({ name }) => name === "[[Entries]]")?.value?.objectId;
    const parts = [
      ...(entries === undefined ? [] : await this.#entries(entries)),
      ...[...properties.result, ...privateProperties]
        .filter(({ name }) => length === undefined || name !== "length")
        .flatMap((property) => this.#fromProperty(property, memberPath(path, property))),
      ...internalProperties
        .filter(({ name, value }) => value !== undefined && telling.test(name))
        .map(({ name, value }) => this.variable(name, value!)),
    ];
    return withRest(parts.slice(0, mostParts), parts.length);
  }

  /** The entries of a Map or Set, without V8's objects around them. */
  async #entries(objectId: string): Promise<Variable[]> {
    const { result } = await this.#properties(objectId);
    const entries = result.filter(({ name, value }) => /^\d+$/.test(name) && value !== undefined);
    const shown = await Promise.all(
      entries.slice(0, mostParts).map(async ({ name, value }) => {
        const { result: pair } = await this.#properties(value!.objectId!);
        const part = pair.find((one) => one.name === "value")?.value;
        const key = pair.find((one) => one.name === "key")?.value;
        return part === undefined ? [] : [this.variable(key === undefined ? name : valueText(key), part)];
      }),
    );
    return withRest(shown.flat(), entries.length);
  }

  async #elements(objectId: string, { count, start }: Page, path: string | undefined): Promise<Variable[]> {
    const { result } = await this.#inspector.callFunction<Evaluated>({
      objectId,
      functionDeclaration: `function (start, count) {
        const part = { __proto__: null };
        for (let i = start; i < Math.min(this.length, start + count); i++) part[i] = this[i];
        return part;
      }`,
      arguments: [{ value: start }, { value: count }],
      silent: true,
    });
    const elements = await this.#properties(result.objectId!);
    return elements.result.flatMap((property) => this.#fromProperty(property, memberPath(path, property)));
  }

  #fromProperty({ get, name, value }: Runtime.PropertyDescriptor, evaluateName: string | undefined): Variable[] {
    if (value !== undefined) return [this.variable(name, value, evaluateName)];
    return get === undefined || get.type === "undefined" ? [] : [{ name, value: "(getter)", variablesReference: 0 }];
  }

  #properties(objectId: string): Promise<Properties> {
    return this.#inspector.call<Properties>("Runtime.getProperties", {
      objectId,
      ownProperties: true,
      generatePreview: true,
    });
  }
}

/** Whether a text can stand for a variable in code. */
export const isName = (text: string): boolean => /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(text);

/** The list with a last line that says how many are left out. */
function withRest(shown: Variable[], all: number): Variable[] {
  const rest = all - shown.length;
  if (rest > 0) shown.push({ name: "…", value: `${rest} more`, variablesReference: 0 });
  return shown;
}

function memberPath(path: string | undefined, { name, symbol }: Runtime.PropertyDescriptor): string | undefined {
  if (path === undefined || symbol !== undefined) return undefined;
  if (/^[#A-Za-z_$][\w$]*$/.test(name)) return `${path}.${name}`;
  return /^\d+$/.test(name) ? `${path}[${name}]` : `${path}[${JSON.stringify(name)}]`;
}

/**
 * What the analysis knows of a value: whether it may lead to memory that others read, and by which parameters it came.
 * A set of parameters is a number of 30 bits, one for each; later parameters share the last.
 */
import type { CodeUnit } from "./code-unit.ts";
import type { Tree } from "./syntax.ts";

export const PARAMETERS = 30;
export const EVERY = 2 ** PARAMETERS - 1;

/** The bit of a parameter. */
export const bitOf = (index: number): number => 1 << Math.min(index, PARAMETERS - 1);

/** A function whose text is known, with what it is called with. */
export interface Code {
  readonly node: Tree;
  readonly unit: CodeUnit;
  readonly args: Value[];
  /** Arguments from some place on. */
  rest: Value;
  returns: Value;
  /** Code that is not known may call it. */
  escaped: boolean;
}

export interface Value {
  /** It may be a typed array on the memory of these parameters. */
  readonly views: number;
  /** It may be plain data, without functions, that leads there. */
  readonly data: number;
  /** It may be made by the analysed code and lead there: an object literal, a closure, an iterator. */
  readonly made: number;
  /**
   * Whether it is a safe key: a number, or nothing that names a property; if the parameters `ifNumber` are that and the
   * parameters `ifTyped` are typed arrays.
   */
  readonly number: boolean;
  readonly ifNumber: number;
  readonly ifTyped: number;
  /** It is surely a typed array of the task's own. */
  readonly typed: boolean;
  /** It is surely no object that other code works with: made here, captured, a primitive. */
  readonly own: boolean;
  readonly code: readonly Code[];
  /** `Math.max`: one of the language's or Node's own values. */
  readonly builtin: string | undefined;
  /** It may be anything else that does not lead to the memory. */
  readonly other: boolean;
}

const NO_CODE: readonly Code[] = [];

/** No value at all: what a variable has that nothing was assigned to. */
export const NOTHING: Value = {
  views: 0,
  data: 0,
  made: 0,
  number: true,
  ifNumber: 0,
  ifTyped: 0,
  typed: true,
  own: true,
  code: NO_CODE,
  builtin: undefined,
  other: false,
};
/** Anything that does not lead to the memory. */
export const UNKNOWN: Value = { ...NOTHING, number: false, typed: false, own: false, other: true };
/** A number, a boolean, `undefined`, `null`. */
export const NUMBER: Value = { ...NOTHING, typed: false, other: true };
export const TEXT: Value = { ...NUMBER, number: false };
/** An object that was made here. */
export const OWN: Value = TEXT;
/** A typed array that was made here. */
export const TYPED: Value = { ...OWN, typed: true };

export const builtin = (path: string): Value => ({ ...UNKNOWN, builtin: path, other: false });
export const codeValue = (code: Code): Value => ({ ...OWN, code: [code], other: false, made: leadsTo(code.returns) });
/** Tainted data or, where there is no taint, something of the code's own. */
export const container = (item: Value): Value => ({ ...OWN, data: item.views | item.data, made: item.made });
/** A number that was read out of typed arrays, if these parameters are such. */
export const numberOf = (typed: number): Value => (typed === 0 ? NUMBER : { ...NUMBER, ifTyped: typed });

/** The parameters whose memory the value may lead to. */
export function leadsTo({ views, data, made }: Value): number {
  return views | data | made;
}

export function join(first: Value, second: Value): Value {
  if (first === second || second === NOTHING) return first;
  if (first === NOTHING) return second;
  const sameBuiltin = first.builtin === second.builtin;
  return {
    views: first.views | second.views,
    data: first.data | second.data,
    made: first.made | second.made,
    number: first.number && second.number,
    ifNumber: first.ifNumber | second.ifNumber,
    ifTyped: first.ifTyped | second.ifTyped,
    typed: first.typed && second.typed,
    own: first.own && second.own,
    code: joinCode(first.code, second.code),
    builtin: sameBuiltin ? first.builtin : undefined,
    other: first.other || second.other || !sameBuiltin,
  };
}

function joinCode(first: readonly Code[], second: readonly Code[]): readonly Code[] {
  const more = second.filter((code) => !first.includes(code));
  return more.length === 0 ? first : [...first, ...more];
}

export function joinAll(values: readonly Value[]): Value {
  return values.reduce(join, NOTHING);
}

export function same(first: Value, second: Value): boolean {
  return (
    first === second ||
    (first.views === second.views &&
      first.data === second.data &&
      first.made === second.made &&
      first.number === second.number &&
      first.ifNumber === second.ifNumber &&
      first.ifTyped === second.ifTyped &&
      first.typed === second.typed &&
      first.own === second.own &&
      first.builtin === second.builtin &&
      first.other === second.other &&
      first.code.length === second.code.length)
  );
}

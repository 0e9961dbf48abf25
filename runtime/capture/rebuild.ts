/**
 * Makes functions from their text, at their place in their file, with variables of their own.
 *
 * Each function is compiled in a frame that declares what it uses. A variable that functions share and assign to lives
 * in a box instead, which the frame reaches by `with`: slower, and the only way to one variable in several scripts.
 */
import vm from "node:vm";
import { FLAG_METHOD, FLAG_STRICT } from "./code-format.ts";
import { importingScript } from "./modules.ts";

export interface Plan {
  flags: number;
  text: string;
  file: string;
  line: number;
  column: number;
  /** Variables whose values are set later. */
  late: readonly string[];
  early: readonly string[];
  boxed: readonly string[];
}

export interface Box {
  value: unknown;
}

export interface Rebuilt {
  fn: object;
  /** Sets the late variable with this index. */
  set(index: number, value: unknown): void;
}

interface Given {
  early: readonly unknown[];
  boxes: object;
  method(holder: object): unknown;
}

type Frame = (given: Given) => [fn: object, set: Rebuilt["set"]];

const IMPORTS = /\bimport\s*\(/;

const frames = new Map<string, Frame>();
const MAX_FRAMES = 1000;

/** Compiles and makes a function. Throws `SyntaxError` if this Node does not understand its text. */
export function makeFunction(plan: Plan, early: readonly unknown[], boxes: readonly Box[], self: unknown): Rebuilt {
  const given = { early, boxes: boxScope(plan.boxed, boxes), method };
  const [fn, set] = frameOf(plan).call(self, given);
  return { fn, set };
}

function frameOf(plan: Plan): Frame {
  const [before, after] = frameText(plan);
  const key = `${plan.file}\n${plan.line}:${plan.column}\n${before}${plan.text}`;
  let frame = frames.get(key);
  if (frame === undefined) {
    frame = compile(plan, before, after);
    if (frames.size >= MAX_FRAMES) frames.clear();
    frames.set(key, frame);
  }
  return frame;
}

function compile({ text, file, line, column }: Plan, before: string, after: string): Frame {
  const place = { filename: file, lineOffset: line, columnOffset: column - before.length };
  const importing = IMPORTS.test(text) ? importingScript(file) : undefined;
  const script = new vm.Script(before + text + after, { ...importing, ...place });
  return script.runInThisContext() as Frame;
}

/** What stands before and after the text. Before is one line, so that the text keeps its lines. */
function frameText({ flags, late, early, boxed }: Plan): [before: string, after: string] {
  const strict = (flags & FLAG_STRICT) !== 0 ? '"use strict";' : "";
  const isMethod = (flags & FLAG_METHOD) !== 0;
  const variables = [...late, ...early.map((name, index) => `${name}=$heddle.early[${index}]`)];
  const declared = variables.length === 0 ? "" : `let ${variables.join(",")};`;
  const cases = late.map((name, index) => `case ${index}:${name}=$heddleValue;break;`).join("");
  const set = `($heddleIndex,$heddleValue)=>{switch($heddleIndex){${cases}}}`;
  const before = `${strict}${declared}return[${isMethod ? "$heddle.method({" : "("}`;
  const after = `\n${isMethod ? "})" : ")"},${set}]`;
  // A strict function may stand inside `with`, though not the other way round.
  return boxed.length === 0
    ? [`(function ($heddle) {${before}`, `${after}})`]
    : [`(function ($heddle) {with($heddle.boxes)return(()=>{${before}`, `${after}})()})`];
}

function boxScope(names: readonly string[], boxes: readonly Box[]): object {
  const scope = Object.create(null) as object;
  for (const [index, name] of names.entries()) {
    const box = boxes[index]!;
    Object.defineProperty(scope, name, {
      enumerable: true,
      get: () => box.value,
      set: (value: unknown) => {
        box.value = value;
      },
    });
  }
  return scope;
}

/** The one method or accessor of an object literal. */
function method(holder: object): unknown {
  const [key] = Reflect.ownKeys(holder);
  const { value, get, set } = Object.getOwnPropertyDescriptor(holder, key!)!;
  return value ?? get ?? set;
}

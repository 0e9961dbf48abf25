/**
 * Makes functions from their text, at their place in their file, with variables of their own: each function is compiled
 * in a frame that declares what it uses.
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
}

export interface Rebuilt {
  fn: object;
  /** Sets the late variable with this index. */
  set(index: number, value: unknown): void;
}

interface Given {
  early: readonly unknown[];
  method(holder: object): unknown;
  /** Given back by the frame. */
  set: Rebuilt["set"];
}

type Frame = (given: Given) => object;

const IMPORTS = /\bimport\s*\(/;

const frames = new Map<string, Frame>();
const MAX_FRAMES = 1000;

/** Compiles and makes a function. Throws `SyntaxError` if this Node does not understand its text. */
export function makeFunction(plan: Plan, early: readonly unknown[], self: unknown): Rebuilt {
  const given: Given = { early, method, set: () => {} };
  return { fn: frameOf(plan).call(self, given), set: given.set };
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
function frameText({ flags, late, early }: Plan): [before: string, after: string] {
  const strict = (flags & FLAG_STRICT) !== 0 ? '"use strict";' : "";
  const isMethod = (flags & FLAG_METHOD) !== 0;
  const variables = [...late, ...early.map((name, index) => `${name}=$heddle.early[${index}]`)];
  const declared = variables.length === 0 ? "" : `let ${variables.join(",")};`;
  const cases = late.map((name, index) => `case ${index}:${name}=$heddleValue;break;`).join("");
  // First, or V8 takes a name that it assigns for the name of the function in traces.
  const set = late.length === 0 ? "" : `$heddle.set=($heddleIndex,$heddleValue)=>{switch($heddleIndex){${cases}}};`;
  const before = `(function ($heddle) {${strict}${declared}${set}return${isMethod ? " $heddle.method({" : "("}`;
  return [before, `\n${isMethod ? "})" : ")"}})`];
}

/** The one method or accessor of an object literal. */
function method(holder: object): unknown {
  const [key] = Reflect.ownKeys(holder);
  const { value, get, set } = Object.getOwnPropertyDescriptor(holder, key!)!;
  return value ?? get ?? set;
}

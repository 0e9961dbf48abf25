/** Functions as a plain module has them: captured by what the module's own text imports. */
import fs, { existsSync } from "node:fs";
import * as acorn from "acorn";
import { get, wait as waitFor } from "heddle";
import half, { settings as configured, ratio } from "./values.mjs";

const local = 7;
const path = await import("node:path");
const { join } = await import("node:path");
let uses = 0;
const count = () => ++uses;

export const useAll = (x) => {
  count();
  return [
    half(x),
    ratio,
    configured.depth,
    local,
    typeof fs.readFileSync,
    typeof existsSync,
    path.sep,
    join("a", "b"),
    acorn.parse("1", { ecmaVersion: 2022 }).type,
    uses,
  ];
};
export const useHeddle = () => [typeof get, typeof waitFor];
export function strict() {
  return this === undefined;
}
export class Animal {
  static count = 0;
  constructor(name) {
    this.name = name;
    Animal.count++;
  }
  speak() {
    return `${this.name} ${half(4)}`;
  }
}
export const useMeta = () => import.meta.url;
export const useImport = async () => (await import("./values.mjs")).ratio;

/** What is seen of a task's arguments without decoding them: the refs among them, and the short form its name shows. */
import { isObjectRef, refNumber } from "../object-ref.ts";

const MOST = 40;

/** A number stands for itself, so that it can travel without being made a text. */
export function previewOf(args: readonly unknown[]): string | number | undefined {
  if (args.length === 0) return undefined;
  const [first] = args;
  if (args.length === 1 && typeof first === "number") return first;
  let text = "";
  for (const arg of args) {
    if (text !== "") text += ", ";
    text += shortForm(arg);
    if (text.length > MOST) return `${text.slice(0, MOST - 1)}…`;
  }
  return text;
}

function shortForm(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 24 ? `${value.slice(0, 23)}…` : value);
    case "function":
      return value.name === "" ? "ƒ" : `ƒ ${value.name}`;
    case "object":
      if (value === null) return "null";
      if (isObjectRef(value)) return "ref";
      if (Array.isArray(value)) return `[${value.length}]`;
      if (ArrayBuffer.isView(value))
        return `${Object.prototype.toString.call(value).slice(8, -1)}(${"length" in value ? value.length : value.byteLength})`;
      return "{…}";
    case "bigint":
      return `${value}n`;
    default:
      return String(value);
  }
}

const NO_IDS: readonly number[] = [];

/** Numbers of the refs that are arguments themselves, each once. */
export function topLevelRefs(args: readonly unknown[]): readonly number[] {
  let ids: number[] | undefined;
  for (const arg of args) {
    const id = typeof arg === "object" && arg !== null ? refNumber(arg) : undefined;
    if (id === undefined) continue;
    ids ??= [];
    if (!ids.includes(id)) ids.push(id);
  }
  return ids ?? NO_IDS;
}

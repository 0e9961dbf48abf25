/** Values of the inspector in words, as a list of variables shows them. */
import type { Runtime } from "node:inspector";

const longestText = 10_000;

/** A value on one line: primitives as one would write them, objects with their first members. */
export function valueText(value: Runtime.RemoteObject): string {
  return shortened(textOf(value));
}

function textOf(value: Runtime.RemoteObject): string {
  if (value.type === "string") return JSON.stringify(value.value);
  if (value.subtype === "null") return "null";
  if (value.type === "function") return functionText(value.description ?? "");
  if (value.subtype === "error") return value.description?.split("\n")[0] ?? "Error";
  if (value.type === "object" && value.preview !== undefined) return previewText(value.preview);
  return value.unserializableValue ?? value.description ?? String(value.value ?? value.type);
}

/** The type in a word: that of a primitive, or the class of an object. */
export function typeText(value: Runtime.RemoteObject): string {
  return value.type === "object" ? (value.className ?? value.subtype ?? "object") : value.type;
}

/** Length of an array or typed array; undefined for everything else. */
export function lengthOf({ description, subtype }: Runtime.RemoteObject): number | undefined {
  if (subtype !== "array" && subtype !== "typedarray") return undefined;
  const length = /\((\d+)\)$/.exec(description ?? "")?.[1];
  return length === undefined ? undefined : Number(length);
}

function functionText(source: string): string {
  if (/^class\b/.test(source)) return source.split("{")[0]!.trim();
  const head = source.split("\n")[0]!;
  return source.includes("\n") ? `${head.replace(/\s*\{.*$/, "")} {…}` : head;
}

function previewText({ description, entries, overflow, properties, subtype }: Runtime.ObjectPreview): string {
  const isList = subtype === "array" || subtype === "typedarray";
  const members = isList
    ? properties.filter(({ name }) => /^\d+$/.test(name)).map(memberText)
    : entries !== undefined
      ? entries.map(entryText)
      : properties.map((property) => `${property.name}: ${memberText(property)}`);
  if (overflow) members.push("…");
  const parts = members.join(", ");
  if (isList) return `${description} [${parts}]`;
  if (subtype !== undefined && entries === undefined && members.length === 0) return description ?? subtype;
  const named = description === "Object" || description === undefined ? "" : `${description} `;
  return `${named}{${parts}}`;
}

function memberText({ subtype, type, value }: Runtime.PropertyPreview): string {
  if (type === "string") return JSON.stringify(value);
  if (type === "accessor") return "(getter)";
  return shortClass(value ?? subtype ?? type);
}

function entryText({ key, value }: Runtime.EntryPreview): string {
  const text = nestedText(value);
  return key === undefined ? text : `${nestedText(key)} => ${text}`;
}

function nestedText(preview: Runtime.ObjectPreview): string {
  return preview.type === "string"
    ? JSON.stringify(preview.description)
    : shortClass(preview.description ?? preview.type);
}

const shortClass = (name: string): string => (name === "Object" ? "{…}" : name);

function shortened(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText)}…`;
}

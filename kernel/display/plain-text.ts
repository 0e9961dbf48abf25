import { inspect } from "node:util";

const longestText = 100_000;

/** A value as `text/plain`: what `util.inspect` gives, without colours, abbreviated where it is large. */
export function describeText(value: unknown): string {
  const text = inspect(value, {
    depth: 4,
    maxArrayLength: 100,
    maxStringLength: 10_000,
    breakLength: 80,
    colors: false,
    showProxy: false,
  });
  return text.length <= longestText
    ? text
    : `${text.slice(0, longestText)}\n… ${text.length - longestText} more characters`;
}

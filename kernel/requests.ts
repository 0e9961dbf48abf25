/** What clients ask, read with care: a field of the wrong type is an error that names it. */
import type { Message } from "./wire/message.ts";

/** A request that cannot be understood. */
export class RequestError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RequestError";
  }
}

/** Reads the fields of a request's content; absent ones have their defaults. Throws `RequestError`. */
export class Fields {
  readonly #request: Message;

  constructor(request: Message) {
    this.#request = request;
  }

  text(name: string, otherwise?: string): string {
    return this.#field(name, "a text", (value) => typeof value === "string", otherwise);
  }

  flag(name: string, otherwise: boolean): boolean {
    return this.#field(name, "true or false", (value) => typeof value === "boolean", otherwise);
  }

  integer(name: string, otherwise: number): number {
    return this.#field(name, "a whole number", Number.isInteger, otherwise);
  }

  object(name: string): Record<string, unknown> {
    const isObject = (value: unknown): boolean => typeof value === "object" && !Array.isArray(value);
    return this.#field(name, "an object", isObject, {});
  }

  #field<T>(name: string, expected: string, fits: (value: unknown) => boolean, otherwise: T | undefined): T {
    const { content, header } = this.#request;
    const value = content[name] ?? otherwise;
    if (value === undefined || !fits(value)) {
      throw new RequestError(`${header.msg_type}: ${name} must be ${expected}, got ${JSON.stringify(content[name])}`);
    }
    return value as T;
  }
}

/** Jupyter's cursor positions count code points: where that is in UTF-16 code units. */
export function toOffset(text: string, points: number): number {
  let offset = 0;
  for (let left = points; left > 0 && offset < text.length; left--)
    offset += text.codePointAt(offset)! > 0xffff ? 2 : 1;
  return offset;
}

/** The other way round. */
export function toPoints(text: string, offset: number): number {
  let points = 0;
  for (const _ of text.slice(0, offset)) points++;
  return points;
}

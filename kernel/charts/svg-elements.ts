import type { Theme } from "./palette.ts";
import { DARK, LIGHT } from "./palette.ts";

/** `auto` follows the colour scheme of the page or element that shows the picture, and of the system at last. */
export type ThemeChoice = "auto" | "light" | "dark";

/** Keeps what lies under letters away from them. */
export const HALO = 'stroke-width="3" paint-order="stroke" stroke-linejoin="round"';

/** A number as short as a picture needs it. */
export function num(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`).replace(/[^\P{Cc}\n]/gu, "�");
}

/** A closed rectangle as part of a path. */
export function box(x: number, y: number, width: number, height: number): string {
  return `M${num(x)} ${num(y)}h${num(width)}v${num(height)}h${num(-width)}z`;
}

/** Collects the parts of paths that are drawn alike, so that thousands of bars are a handful of elements. */
export class Paths {
  readonly #parts = new Map<string, string[]>();

  add(key: string, part: string): void {
    const parts = this.#parts.get(key);
    if (parts) parts.push(part);
    else this.#parts.set(key, [part]);
  }

  has(key: string): boolean {
    return this.#parts.has(key);
  }

  /** The path of this key with these attributes; nothing when nothing was added. */
  draw(key: string, attributes: string): string {
    const parts = this.#parts.get(key);
    return parts ? `<path d="${parts.join("")}" ${attributes}/>` : "";
  }
}

/** Colours as classes: `f…` fill, `s…` stroke; b background, t text, m muted, g grid, l stripe, d driver, a accent. */
export function styleOf(choice: ThemeChoice): string {
  if (choice === "auto") return `<style>${rules(LIGHT)}@media (prefers-color-scheme:dark){${rules(DARK)}}</style>`;
  return `<style>${rules(choice === "dark" ? DARK : LIGHT)}</style>`;
}

function rules({ background, border, text, muted, grid, stripe, driver, accent }: Theme): string {
  return (
    `.fb{fill:${background}}.sb{stroke:${background}}.card{fill:${background};stroke:${border}}` +
    `.ft{fill:${text}}.st{stroke:${text}}.fm{fill:${muted}}.sm{stroke:${muted}}` +
    `.sg{stroke:${grid}}.fl{fill:${stripe}}.fd{fill:${driver}}.sd{stroke:${driver}}.fa{fill:${accent}}.sa{stroke:${accent}}`
  );
}

/**
 * Colours of functions: the first eight after Okabe and Ito, each of the others the one of middle lightness and chroma
 * that is farthest from all before it and from `FAILURE`, seen with the common colour-vision deficiencies too.
 */
// biome-ignore format: eight a line
export const PALETTE: readonly string[] = [
  "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#8C6D1F", "#5B4FA2", "#7A9A01",
  "#781E3C", "#D2D2A5", "#4B4B00", "#F0B4C3", "#5A87FF", "#694B69", "#964B4B", "#5AE1FF",
  "#691E69", "#69B469", "#A5E169", "#A55A87", "#0F7869", "#87874B", "#FF7896", "#B478C3",
];

/** Kept for what failed. */
export const FAILURE = "#D55E00";

/** How much lighter (above 0) or darker each further round through the palette is. */
const ROUNDS = [0, 0.4, -0.4];

/** Gives each function its colour, the same one through a whole notebook. */
export class FunctionColors {
  readonly #colors = new Map<string, string>();

  of(functionName: string): string {
    const known = this.#colors.get(functionName);
    if (known !== undefined) return known;
    const index = this.#colors.size;
    const round = ROUNDS[Math.floor(index / PALETTE.length) % ROUNDS.length]!;
    const color = shade(PALETTE[index % PALETTE.length]!, round);
    this.#colors.set(functionName, color);
    return color;
  }
}

/** Black or white, whichever is read better on `color`. */
export function inkOn(color: string): "#111" | "#fff" {
  return luminance(color) > 0.2 ? "#111" : "#fff";
}

export interface Theme {
  background: string;
  border: string;
  text: string;
  muted: string;
  grid: string;
  stripe: string;
  driver: string;
  /** Marks of the object store. */
  accent: string;
}

export const LIGHT: Theme = {
  background: "#FFFFFF",
  border: "#D9DDE2",
  text: "#1B1F24",
  muted: "#5B6470",
  grid: "#E4E7EB",
  stripe: "#F6F7F9",
  driver: "#55677A",
  accent: "#7A3FA8",
};

export const DARK: Theme = {
  background: "#111418",
  border: "#2A3038",
  text: "#E6E8EB",
  muted: "#9BA3AE",
  grid: "#2A3038",
  stripe: "#181D22",
  driver: "#8CA0B6",
  accent: "#C9A2EC",
};

function shade(color: string, amount: number): string {
  const target = amount > 0 ? 255 : 0;
  const mixed = channels(color).map((value) => Math.round(value + (target - value) * Math.abs(amount)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`.toUpperCase();
}

function luminance(color: string): number {
  const [red, green, blue] = channels(color).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

/** Red, green and blue of `#RRGGBB`, 0…255. */
export function channels(color: string): [number, number, number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

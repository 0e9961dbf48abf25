import { expect, test } from "vitest";
import { DARK, FAILURE, FunctionColors, inkOn, LIGHT, PALETTE } from "../../kernel/charts/palette.ts";
import { colorDifference, nearestPair, visions } from "../support/color-vision.ts";

/** CIEDE2000 of the two nearest of the first 8, 16 and 24 colours. The README tells these. */
const smallest = {
  normal: [20.5, 13.9, 10.2],
  protanopia: [6.3, 6.3, 6.3],
  deuteranopia: [5.1, 5.1, 5.1],
  tritanopia: [10.9, 10.3, 6.8],
};

test("the difference of colours is that of the standard's examples", () => {
  expect(colorDifference("#000000", "#FFFFFF")).toBeCloseTo(100, 2);
  expect(colorDifference("#FF0000", "#00FF00")).toBeCloseTo(86.6, 0);
  expect(colorDifference("#0072B2", "#0072B2", "protanopia")).toBe(0);
  expect(colorDifference("#FF0000", "#00A000", "deuteranopia")).toBeLessThan(colorDifference("#FF0000", "#00A000") / 2);
});

test.each(visions)("%s: functions are told apart by their colours", (vision) => {
  const found = [8, 16, 24].map((count) => nearestPair(PALETTE.slice(0, count), vision).difference);
  expect(found.map((difference) => Math.round(difference * 10) / 10)).toEqual(smallest[vision]);
});

test("no function has the colour of failures, nor one that the page hides", () => {
  for (const color of PALETTE) {
    expect(colorDifference(color, FAILURE), color).toBeGreaterThan(12);
    for (const { background, stripe } of [LIGHT, DARK]) {
      expect(colorDifference(color, background), color).toBeGreaterThan(12);
      expect(colorDifference(color, stripe), color).toBeGreaterThan(12);
    }
  }
});

test("letters on each colour have a contrast of 4.5 at least", () => {
  const luminance = (color: string): number => {
    const parts = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  for (const color of PALETTE) {
    const [dark, light] = [luminance(color), luminance(inkOn(color) === "#fff" ? "#FFFFFF" : "#111111")].sort(
      (a, b) => a - b,
    );
    expect((light! + 0.05) / (dark! + 0.05), color).toBeGreaterThanOrEqual(4.5);
  }
});

test("a function keeps its colour, and seventy functions have seventy colours", () => {
  const colors = new FunctionColors();
  const names = Array.from({ length: 70 }, (_, i) => `f${i}`);
  const first = names.map((name) => colors.of(name));
  expect(new Set(first).size).toBe(70);
  expect(names.map((name) => colors.of(name))).toEqual(first);
  expect(first).not.toContain(FAILURE);
  expect([inkOn("#0072B2"), inkOn("#56B4E9")]).toEqual(["#fff", "#111"]);
});

import type { Layout } from "./layout.ts";
import type { FunctionColors } from "./palette.ts";

/** A figure of Plotly as plain data. */
export interface Figure {
  data: Trace[];
  layout: Record<string, unknown>;
  config: Record<string, unknown>;
}

export type Trace = Record<string, unknown>;

/** Stands for the colour of the page's text: the page's loader puts it in. */
export const PAGE_TEXT = "@text";
/** Stands for the colour of the page's background. */
export const PAGE_BACKGROUND = "@back";
/** Read well enough on light and on dark. */
export const NEUTRAL = "#7b8794";

/** The plane of a figure: x in the unit of its axis of time, y in pixels downwards. */
export interface Plane {
  layout: Layout;
  /** A time in the unit of the axis. */
  at(time: number): number;
  /** The place of a pixel of the layout in the unit of the axis. */
  atPixel(x: number): number;
  colors: FunctionColors;
}

export interface Label {
  x: number;
  y: number;
  text: string;
  color: string;
  /** How wide the plot must be, as a multiple of its width in the layout, for the text to fit. */
  fit: number;
  position: "middle left" | "middle center" | "middle right";
  /** What stands there where the text does not fit; default nothing. */
  short?: { text: string; fit: number };
}

/**
 * Texts as a trace of their own, above all bars. `meta` says how wide the plot must be for each, so that the page's
 * loader can leave out those that do not fit its width.
 */
export function labelTrace(labels: readonly Label[], more: Trace = {}): Trace[] {
  if (labels.length === 0) return [];
  const colors = new Set(labels.map(({ color }) => color));
  const shorts = labels.filter(({ short }) => short);
  const positions = new Set(labels.map(({ position }) => position));
  return [
    {
      type: "scatter",
      mode: "text",
      hoverinfo: "skip",
      showlegend: false,
      cliponaxis: false,
      x: labels.map(({ x }) => x),
      // Letters sit a little high in the boxes that Plotly centres.
      y: labels.map(({ y }) => round(y + 1)),
      text: labels.map(({ text }) => text),
      textposition: positions.size === 1 ? labels[0]!.position : labels.map(({ position }) => position),
      textfont: { size: 11, color: colors.size === 1 ? labels[0]!.color : labels.map(({ color }) => color) },
      meta: {
        fit: labels.map(({ fit }) => Math.ceil(Math.min(fit, 99) * 100) / 100),
        ...(shorts.length > 0
          ? {
              short: labels.map(({ short }) => short?.text ?? ""),
              shortFit: labels.map(({ short }) => round(short?.fit ?? 0)),
            }
          : {}),
      },
      ...more,
    },
  ];
}

/** The trace with the labels that fit at the width of the layout. */
export function fitLabels(trace: Trace): Trace {
  const { meta, text } = trace as { meta?: { fit: number[] }; text?: string[] };
  if (!meta || !text) return trace;
  return { ...trace, text: text.map((label, index) => (meta.fit[index]! <= 1 ? label : "")) };
}

/** Six digits are finer than a pixel at any zoom that makes sense. */
export function round(value: number): number {
  return Number(value.toPrecision(6));
}

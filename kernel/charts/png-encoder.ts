import { crc32, deflateSync } from "node:zlib";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
const INDEXED = 3;
/** Fewer than a palette could have: what is left out are the finest mixtures along letters, and they are half of the file. */
const ENOUGH_COLORS = 32;
/** Colours like no other are kept up to here. */
const MOST_COLORS = 64;
/** How far apart in RGB two colours are that nobody takes for the same. */
const UNLIKE = 28;

/** Red, green, blue, alpha: 0…255. */
export type Color = readonly [number, number, number, number];

export interface IndexedImage {
  width: number;
  height: number;
  /** One entry of `palette` for each pixel, row by row. */
  pixels: Uint8Array;
  /** At most 256. */
  palette: readonly Color[];
}

/** Encodes an image of at most 256 colours as PNG. */
export function encodeIndexedPng({ width, height, pixels, palette }: IndexedImage): Uint8Array {
  const colors = Uint8Array.from(palette.flatMap((color) => color.slice(0, 3)));
  const alphas = Uint8Array.from(palette, ([, , , alpha]) => alpha);
  const opaque = alphas.every((alpha) => alpha === 255);
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header(width, height)),
    chunk("PLTE", colors),
    ...(opaque ? [] : [chunk("tRNS", alphas)]),
    chunk("IDAT", deflateSync(rows(width, height, pixels), { level: 9 })),
    chunk("IEND", new Uint8Array()),
  ]);
}

/**
 * Finds at most 64 colours that stand for the pixels (RGBA): charts have few colours and the mixtures along edges.
 * Colours are taken to 5 bits a channel, some kept, the others replaced by the nearest kept one.
 */
export function quantize(rgba: Uint8Array, width: number, height: number): IndexedImage {
  const counts = new Uint32Array(1 << 15);
  const sums = new Float64Array((1 << 15) * 3);
  const count = width * height;
  for (let i = 0, at = 0; i < count; i++, at += 4) {
    const key = keyOf(rgba[at]!, rgba[at + 1]!, rgba[at + 2]!);
    counts[key]!++;
    sums[key * 3]! += rgba[at]!;
    sums[key * 3 + 1]! += rgba[at + 1]!;
    sums[key * 3 + 2]! += rgba[at + 2]!;
  }
  const used: number[] = [];
  counts.forEach((times, key) => {
    if (times > 0) used.push(key);
  });
  used.sort((a, b) => counts[b]! - counts[a]!);
  const mean = (key: number): Color => {
    const part = (channel: number): number => Math.round(sums[key * 3 + channel]! / counts[key]!);
    return [part(0), part(1), part(2), 255];
  };
  const palette = choosePalette(used.map(mean));
  const indexOf = new Uint8Array(1 << 15);
  for (const key of used) indexOf[key] = nearest(palette, mean(key)).index;
  const pixels = new Uint8Array(count);
  for (let i = 0, at = 0; i < count; i++, at += 4) pixels[i] = indexOf[keyOf(rgba[at]!, rgba[at + 1]!, rgba[at + 2]!)]!;
  return { width, height, pixels, palette };
}

/** The most frequent colours, but with room for those that are rare and like no other: a red mark is small and matters. */
function choosePalette(byFrequency: readonly Color[]): Color[] {
  const palette = byFrequency.slice(0, ENOUGH_COLORS / 2);
  const rest = byFrequency.slice(ENOUGH_COLORS / 2);
  for (const color of rest)
    if (palette.length < MOST_COLORS && nearest(palette, color).distance > UNLIKE ** 2) palette.push(color);
  for (const color of rest) if (palette.length < ENOUGH_COLORS && !palette.includes(color)) palette.push(color);
  return palette;
}

function keyOf(red: number, green: number, blue: number): number {
  return ((red >> 3) << 10) | ((green >> 3) << 5) | (blue >> 3);
}

function nearest(palette: readonly Color[], [red, green, blue]: Color): { index: number; distance: number } {
  let best = { index: 0, distance: Infinity };
  palette.forEach(([r, g, b], index) => {
    const distance = (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
    if (distance < best.distance) best = { index, distance };
  });
  return best;
}

function header(width: number, height: number): Uint8Array {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data[8] = 8;
  data[9] = INDEXED;
  return data;
}

/** Each row begins with the number of its filter: 0, none. */
function rows(width: number, height: number, pixels: Uint8Array): Uint8Array {
  const data = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) data.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return data;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, data.length + 8)), data.length + 8);
  return bytes;
}

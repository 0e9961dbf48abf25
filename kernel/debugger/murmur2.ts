/**
 * MurmurHash2 (32 bits) of a text in UTF-8: by this hash, with the seed that `debugInfo` tells, a front end knows which
 * cell a path stands for.
 */
export function murmur2(text: string, seed: number): number {
  const bytes = new TextEncoder().encode(text);
  const view = new DataView(bytes.buffer);
  const wholeWords = bytes.length & ~3;
  let hash = seed ^ bytes.length;
  for (let at = 0; at < wholeWords; at += 4) {
    const word = Math.imul(view.getUint32(at, true), factor);
    hash = Math.imul(hash, factor) ^ Math.imul(word ^ (word >>> 24), factor);
  }
  if (wholeWords < bytes.length) {
    for (let at = bytes.length - 1; at >= wholeWords; at--) hash ^= view.getUint8(at) << (8 * (at - wholeWords));
    hash = Math.imul(hash, factor);
  }
  hash = Math.imul(hash ^ (hash >>> 13), factor);
  return (hash ^ (hash >>> 15)) >>> 0;
}

const factor = 0x5bd1e995;

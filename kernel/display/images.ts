/** Images held in bytes, recognised by how they begin. */

export interface ImageBundle {
  data: Record<string, string>;
  metadata: Record<string, { width: number; height: number }>;
}

/** The value as an image, when it is a byte array that holds a PNG, JPEG, GIF, WebP or SVG. */
export function imageBundle(value: unknown): ImageBundle | undefined {
  if (!(value instanceof Uint8Array) || value.length < 12) return undefined;
  const mime = imageType(value);
  if (mime === undefined) return undefined;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (mime === "image/svg+xml") return { data: { [mime]: bytes.toString("utf8") }, metadata: {} };
  const size = mime === "image/png" ? { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) } : undefined;
  return { data: { [mime]: bytes.toString("base64") }, metadata: size ? { [mime]: size } : {} };
}

/** The MIME type of an image by its first bytes. */
export function imageType(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 512)).toString("latin1");
  if (head.startsWith("\x89PNG\r\n\x1a\n") && bytes.length >= 24) return "image/png";
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("GIF87a") || head.startsWith("GIF89a")) return "image/gif";
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WEBP") return "image/webp";
  if (/^\s*(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/i.test(head))
    return "image/svg+xml";
  return undefined;
}

// GIFs, made when they are needed.

import gifenc from "gifenc";

const { GIFEncoder } = gifenc;

/**
 * A disc that wanders across the picture.
 * @param {{ width?: number, height?: number, frames?: number, noise?: boolean }} [shape] Noise does not compress.
 */
export function gif({ width = 160, height = 100, frames = 6, noise = false } = {}) {
  const encoder = GIFEncoder();
  const palette = [[240, 236, 228], [194, 55, 123], [35, 120, 181], [124, 138, 29]];
  for (let frame = 0; frame < frames; frame += 1) {
    const pixels = new Uint8Array(width * height);
    const x = (width * (frame + 0.5)) / frames;
    for (let i = 0; i < pixels.length; i += 1) {
      const away = Math.hypot((i % width) - x, Math.floor(i / width) - height / 2);
      if (noise) pixels[i] = Math.floor(Math.random() * 4);
      else if (away < height / 4) pixels[i] = 1 + (frame % 3);
    }
    encoder.writeFrame(pixels, width, height, { palette, delay: 200, repeat: 0 });
  }
  encoder.finish();
  return Buffer.from(encoder.bytes());
}

/**
 * A file for `setInputFiles`.
 * @param {string} name
 * @param {Buffer} buffer
 */
export function file(name, buffer) {
  return { name, mimeType: "image/gif", buffer };
}

/** A GIF by its first bytes and its size, and noise after that. @param {number} bytes */
export function damaged(bytes = 400) {
  const whole = gif();
  const noise = Buffer.alloc(Math.max(0, bytes - 20), 0xa5);
  return Buffer.concat([whole.subarray(0, 20), noise]);
}

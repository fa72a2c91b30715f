// GIFs, made when they are needed.

import gifenc from "gifenc";

const { GIFEncoder } = gifenc;

const HUES = [
  [194, 55, 123],
  [179, 51, 4],
  [130, 105, 0],
  [0, 124, 63],
  [0, 117, 157],
  [119, 73, 194],
];

/**
 * Six discs that bob one after another.
 * @param {{ width?: number, height?: number, frames?: number, noise?: boolean }} [shape] Noise does not compress.
 */
export function gif({ width = 160, height = 100, frames = 6, noise = false } = {}) {
  const encoder = GIFEncoder();
  const palette = [[243, 241, 237], ...HUES];
  for (let frame = 0; frame < frames; frame += 1) {
    const pixels = new Uint8Array(width * height);
    const turn = (2 * Math.PI * frame) / frames;
    for (let i = 0; i < pixels.length; i += 1) {
      const [x, y] = [i % width, Math.floor(i / width)];
      const disc = Math.floor((6 * x) / width);
      const middle = height * (0.5 + 0.2 * Math.sin(turn + disc));
      const away = Math.hypot(x - (width * (disc + 0.5)) / 6, y - middle);
      if (noise) pixels[i] = Math.floor(Math.random() * 7);
      else if (away < Math.min(width / 14, height / 4)) pixels[i] = 1 + disc;
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

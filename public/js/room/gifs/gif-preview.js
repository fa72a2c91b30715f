// Creates the preview of a GIF before the server has it.

/** @typedef {{ picture: HTMLElement, width: number, height: number }} Preview */

/**
 * The preview for the reader who is about to share the GIF: animated, unless they prefer reduced motion.
 * @param {Blob} file Throws when the browser cannot decode it.
 * @returns {Promise<Preview>}
 */
export async function previewOf(file) {
  const preview = await stillOf(file);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return calm ? preview : { ...preview, picture: await moving(file) };
}

/**
 * The first frame.
 * @param {Blob} file Throws when the browser cannot decode it.
 * @returns {Promise<Preview>}
 */
export async function stillOf(file) {
  const first = await createImageBitmap(file);
  const { width, height } = first;
  const picture = still(first);
  first.close();
  return { picture, width, height };
}

/** @param {ImageBitmap} frame */
function still(frame) {
  const canvas = document.createElement("canvas");
  canvas.width = frame.width;
  canvas.height = frame.height;
  canvas.getContext("2d")?.drawImage(frame, 0, 0);
  canvas.role = "img";
  return canvas;
}

/** @param {Blob} file */
async function moving(file) {
  const picture = new Image();
  picture.src = URL.createObjectURL(file);
  await picture.decode().finally(() => URL.revokeObjectURL(picture.src)); // A decoded image does not need its URL.
  return picture;
}

// Creates the preview of a GIF: animated, or only its first frame when the reader prefers reduced motion.

/** @param {Blob} file Throws when the browser cannot decode it. */
export async function previewOf(file) {
  const first = await createImageBitmap(file);
  const { width, height } = first;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const picture = calm ? still(first) : await moving(file);
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

// What a GIF looks like before it is shared: moving, or its first frame for whoever prefers that.

/** @param {Blob} file One that cannot be shown throws. */
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
  await picture.decode().finally(() => URL.revokeObjectURL(picture.src)); // Decoded, it needs its address no more.
  return picture;
}

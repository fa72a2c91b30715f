// Empties the page when its reader leaves it, so that the browser cannot show the conversation again: neither by Back
// nor from the memory in which it keeps pages.

/** @param {() => void} before Runs before the page is empty. */
export function emptyOnLeaving(before) {
  window.addEventListener("pagehide", () => {
    before();
    document.body.replaceChildren();
    document.title = document.title.split(" · ").at(-1) ?? ""; // Without the title of the room.
  });
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) location.reload(); // The browser has kept the empty page; the reader may enter again.
  });
}

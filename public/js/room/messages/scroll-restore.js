// Restores the scroll position of the log after a reload.

/** @typedef {import("./scroll.js").Scroll} Scroll */

/**
 * @param {string} room
 * @param {Scroll} scroll
 * @param {(seq: number) => Promise<void>} reach Loads the lines back to this sequence number.
 */
export async function restoreScroll(room, scroll, reach) {
  const key = `huechat:place:${room}`;
  const kept = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  window.addEventListener("pagehide", () => {
    const { position } = scroll;
    if (position) sessionStorage.setItem(key, JSON.stringify(position));
  });
  const [visit] = performance.getEntriesByType("navigation");
  const came = visit instanceof PerformanceNavigationTiming && visit.type === "navigate";
  if (!kept || came) return; // A new visit starts at the newest message.
  /** @type {import("./scroll.js").Position} */
  const position = JSON.parse(kept);
  await reach(position.seq);
  scroll.goTo(position);
}

// Restores the scroll position of the log after a reload.

/** @typedef {import("../tab-storage.js").TabStorage} TabStorage */
/** @typedef {import("./scroll.js").Scroll} Scroll */

/**
 * @param {TabStorage} storage
 * @param {Scroll} scroll
 * @param {(seq: number) => Promise<void>} reach Loads the lines back to this sequence number.
 */
export async function restoreScroll(storage, scroll, reach) {
  const read = () => (scroll.position ? JSON.stringify(scroll.position) : "");
  const kept = storage.keep("place", read);
  const [visit] = performance.getEntriesByType("navigation");
  const came = visit instanceof PerformanceNavigationTiming && visit.type === "navigate";
  if (!kept || came) return; // A new visit starts at the newest message.
  /** @type {import("./scroll.js").Position} */
  const position = JSON.parse(kept);
  await reach(position.seq);
  scroll.goTo(position);
}

// Where the reader was in the conversation: a reload brings them back there.

/** @typedef {import("./scroll.js").Scroll} Scroll */

/**
 * @param {string} room
 * @param {Scroll} scroll
 * @param {(seq: number) => Promise<void>} reach Brings the lines up to this one.
 */
export async function keepPlace(room, scroll, reach) {
  const key = `huechat:place:${room}`;
  const kept = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  window.addEventListener("pagehide", () => {
    const { place } = scroll;
    if (place) sessionStorage.setItem(key, JSON.stringify(place));
  });
  const [visit] = performance.getEntriesByType("navigation");
  const came = visit instanceof PerformanceNavigationTiming && visit.type === "navigate";
  if (!kept || came) return; // Whoever comes in anew wants to see what is said now.
  /** @type {import("./scroll.js").Place} */
  const place = JSON.parse(kept);
  await reach(place.seq);
  scroll.goTo(place);
}

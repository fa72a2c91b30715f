// A connection that is refused because too many are opened: how it shows, and when to come back.

/**
 * A room or the lobby refuses somebody by a code; the request that opens a connection is refused with the status 429,
 * which a WebSocket keeps to itself, and polling tells.
 * @param {Error & { description?: unknown, context?: unknown }} error
 * @returns {{ retryAfterMs: number | undefined } | undefined} Nothing when it is refused for something else.
 */
export function refusedAsTooFast({ message, description, context }) {
  if (message === "slow_down") return { retryAfterMs: undefined };
  if (description !== 429) return undefined;
  const header = context instanceof XMLHttpRequest ? context.getResponseHeader("Retry-After") : null;
  const seconds = Number(header ?? NaN);
  return { retryAfterMs: Number.isNaN(seconds) ? undefined : seconds * 1_000 };
}

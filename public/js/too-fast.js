// Detects a connection that the server refuses because of its rate limit.

/**
 * The namespaces refuse with an error code. The handshake request fails with the status 429, which browsers hide for a
 * WebSocket and report for polling.
 * @param {Error & { description?: unknown, context?: unknown }} error
 * @returns {{ retryAfterMs: number | undefined } | undefined} Undefined for any other refusal.
 */
export function refusedAsTooFast({ message, description, context }) {
  if (message === "slow_down") return { retryAfterMs: undefined };
  if (description !== 429) return undefined;
  const header = context instanceof XMLHttpRequest ? context.getResponseHeader("Retry-After") : null;
  const seconds = Number(header ?? NaN);
  return { retryAfterMs: Number.isNaN(seconds) ? undefined : seconds * 1_000 };
}

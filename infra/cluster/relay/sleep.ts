/** Resolves after `ms`, or at once when `signal` aborts. Never rejects, leaves no listener. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) {
    resolve();
    return promise;
  }
  const end = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    resolve();
  };
  const timer = setTimeout(end, Math.max(0, ms));
  signal.addEventListener('abort', end, { once: true });
  return promise;
}

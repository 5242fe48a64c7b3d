/** A time-out joined with the caller's signal. `AbortSignal.any` is avoided: on a signal that lives as long as the process it piles up. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Starts the time anew, for streams whose time-out is one of inactivity. */
  extend(): void;
  /** Frees timer and listener; to be called exactly once, in a `finally`. */
  end(): void;
  /** Why work under this deadline was cut off, as half a sentence; undefined while it was not. */
  cause(): string | undefined;
}

/** Aborts after `timeoutMs`, or with `parent`, whichever is first. */
export function startDeadline(parent: AbortSignal, timeoutMs: number): Deadline {
  const controller = new AbortController();
  let cause: string | undefined;
  const abort = (why: string): void => {
    cause ??= why;
    controller.abort();
  };
  const onParent = (): void => abort('aborted by the caller');
  const onTime = (): void => abort(`nothing came within ${timeoutMs} ms`);
  const timer = setTimeout(onTime, timeoutMs);
  parent.addEventListener('abort', onParent, { once: true });
  if (parent.aborted) onParent();
  return {
    signal: controller.signal,
    extend: () => {
      timer.refresh();
    },
    end: () => {
      clearTimeout(timer);
      parent.removeEventListener('abort', onParent);
    },
    cause: () => cause,
  };
}

/** `work`, or a rejection as soon as `signal` aborts: for work that can't be asked to stop. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort = (): void => undefined;
  const cut = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Error('aborted'));
  });
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, cut]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The wish that a program which stays should end. */

/** Signals of one key press come more than once: from the terminal, and from whoever started this and hands them on. */
const samePressMs = 500;

/**
 * Resolves when this program shall end: at Ctrl-C, SIGTERM or SIGHUP, when the process that started it with a channel
 * (`start.mjs`) is gone, or when nobody reads any more what it writes. `say` is called at once, before anything is
 * stopped. A second Ctrl-C ends at once with 130, child processes included.
 */
export function interruption(notify: () => void): Promise<'interrupted'> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const end = (): void => {
      if (firstAt !== undefined) return;
      firstAt = performance.now();
      notify();
      resolve('interrupted');
    };
    const onSignal = (): void => {
      if (firstAt !== undefined && performance.now() - firstAt > samePressMs) process.exit(130);
      end();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    process.on('disconnect', end);
    // Listening keeps the channel, and with it this process, alive.
    process.channel?.unref();
    for (const stream of [process.stdout, process.stderr]) stream.on('error', end);
  });
}

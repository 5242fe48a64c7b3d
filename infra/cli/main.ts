import { basename } from 'node:path';
import { exitCodes } from './exit-code.ts';
import { runCli } from './run-cli.ts';

/** What a shell shows for a program that was ended by SIGPIPE, as other tools are when nobody reads them any more. */
const brokenPipe = 141;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: Error & { readonly code?: string }) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(brokenPipe);
  });

const interrupted = new AbortController();
/** Ctrl-C of a terminal comes to this process and to npm's, which passes it on: within this time it is the same one. */
const sameInterruptionMs = 1000;
let interruptedMs = 0;
const interrupt = (): void => {
  // What was begun is taken away; whoever does not want to wait for it asks again.
  if (interrupted.signal.aborted && performance.now() - interruptedMs > sameInterruptionMs)
    process.exit(exitCodes.failed);
  if (!interrupted.signal.aborted) interruptedMs = performance.now();
  interrupted.abort();
};
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);

process.exitCode = await runCli(process.argv.slice(2), {
  invokedAs: basename(process.argv[1] ?? ''),
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupted.signal,
  stdin: () => process.stdin,
});

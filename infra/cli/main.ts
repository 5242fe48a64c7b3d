import { basename } from 'node:path';
import { runCli } from './run-cli.ts';

/** What a shell shows for a program that was ended by SIGPIPE, as other tools are when nobody reads them any more. */
const brokenPipe = 141;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: Error & { readonly code?: string }) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(brokenPipe);
  });

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
process.once('SIGTERM', () => interrupted.abort());

process.exitCode = await runCli(process.argv.slice(2), {
  invokedAs: basename(process.argv[1] ?? ''),
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupted.signal,
  stdin: () => process.stdin,
});

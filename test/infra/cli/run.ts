import { Readable } from 'node:stream';
import { runCli } from '../../../infra/cli/run-cli.ts';

interface Surroundings {
  readonly path?: string;
  readonly invokedAs?: string;
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The whole program in this process; its streams as texts. */
export async function run(
  args: readonly string[],
  { path = '/nowhere', invokedAs = 'main.js', stdin = '', environment = {} }: Surroundings = {},
) {
  const texts = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof texts) => ({
    write: (text: string) => {
      texts[name] += text;
    },
  });
  const code = await runCli(args, {
    invokedAs,
    environment: { PATH: path, NO_COLOR: '1', HOME: '/nowhere', ...environment },
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    signal: new AbortController().signal,
    stdin: () => Readable.from([Buffer.from(stdin)]),
  });
  // Progress says how long a step took.
  return { code, stdout: texts.stdout, stderr: texts.stderr.replaceAll(/^[✓✗…].*\n/gm, '') };
}

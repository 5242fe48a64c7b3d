import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from '../../../infra/local/up/host.ts';
import { run } from './run.ts';

describe('the program', () => {
  it('ends silently, as by SIGPIPE, when nobody reads it any more', async () => {
    const child = spawn(process.execPath, [join(repository, 'infra/cli/main.ts'), 'attach', '--help']);
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stdout.destroy();
    expect(await once(child, 'close')).toEqual([141, null]);
    expect(said).toBe('');
  });

  it.each(['attach', 'detach', 'status', 'doctor', 'explain', 'cost'])('takes -h for --help: %s', async (command) => {
    expect(await run([command, '-h'])).toEqual(await run([command, '--help']));
    expect((await run([command, '-h'])).code).toBe(0);
  });
});

/** What README and docs inform people to type. Each block that names this file is run here, line by line. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandBlocks, documents, read, root } from '../../docs/documents.ts';
import { kubectl, record, until } from './cloud.ts';

const self = 'test/e2e/cloud/t-documents.test.ts';
const examples = ['exit-code.yaml', 'job-pi.yaml', 'deployment.yaml'].flatMap((name) => [
  '-f',
  join(root, 'docs/examples', name),
]);

const commands = documents.flatMap((file) =>
  commandBlocks(read(file))
    .filter(({ test }) => test === self)
    .flatMap((block) => block.commands)
    .flatMap((line) => line.split(';').map((command) => command.trim()))
    .map((command) => ({ file, command })),
);

/** Follows and watches have no end of their own. */
const isEndless = (command: string): boolean => /\s(-w|--watch)\b|\blogs -f\b/.test(command);

/** Resolves with the code, or with undefined for one without an end that was still at work when it was ended. */
async function run(command: string): Promise<{ readonly code: number | null | undefined; readonly output: string }> {
  const environment = {
    ...process.env,
    PATH: `${dirname(record.kubectl)}:${process.env['PATH'] ?? ''}`,
    KUBECONFIG: record.kubeconfig,
  };
  const child = spawn('bash', ['-c', `exec ${command}`], { cwd: root, env: environment });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  let isEnded = false;
  const end = (): void => {
    isEnded = isEndless(command);
    child.kill(isEnded ? 'SIGINT' : 'SIGKILL');
  };
  const timer = setTimeout(end, isEndless(command) ? 4_000 : 120_000);
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once('exit', resolve);
  const code = await promise;
  clearTimeout(timer);
  return { code: isEnded ? undefined : code, output };
}

describe('the commands of README and docs', () => {
  beforeAll(async () => {
    const applied = await kubectl(['apply', ...examples]);
    if (applied.code !== 0) throw new Error(applied.stderr);
    await until(
      'the examples have run',
      async () => (await kubectl(['get', 'job', 'pi', '-o', 'jsonpath={.status.succeeded}'])).stdout,
      (succeeded) => succeeded === '1',
      180_000,
    );
    await kubectl(['rollout', 'status', 'deployment/web', '--timeout=120s']);
  });
  afterAll(() => kubectl(['delete', '--ignore-not-found', '--wait=false', ...examples]));

  it('are some', () => {
    expect(commands.length).toBeGreaterThan(10);
    expect(record.nodes).toContain('aci-1');
  });

  it.each(commands.filter(({ command }) => !command.startsWith('export ')))('$file: $command', async ({ command }) => {
    const { code, output } = await run(command);
    const isFine = code === 0 || code === undefined;
    expect(isFine ? '' : `${String(code)}: ${output}`).toBe('');
  });
});

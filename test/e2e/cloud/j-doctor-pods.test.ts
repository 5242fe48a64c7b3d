import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { dir, output, until } from './cloud.ts';

/** It has getent and bash. */
const image = 'debian:bookworm-slim';
const args = ['--pods', '--musl-image', image, '--glibc-image', image, '--outside', 'localhost', '--output', 'json'];

/** `npm run doctor`, in a process group of its own, as a terminal starts it. */
const startDoctor = () =>
  spawn(process.execPath, [join(import.meta.dirname, '../../../infra/local/ask.ts'), 'doctor', '--dir', dir, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });

const reachPods = (): Promise<string> =>
  output('get', 'pods', '-A', '-l', 'app.kubernetes.io/component=reach', '-o', 'name');

const untilGone = (): Promise<string> => until('no pod is left', reachPods, (pods) => pods === '');

const shown = z.object({ checks: z.array(z.object({ name: z.string(), verdict: z.string(), found: z.string() })) });

describe('doctor --pods', () => {
  it('runs its pod on the node, reads what it reports, and leaves nothing', async () => {
    const child = startDoctor();
    const [stdout] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const { checks } = shown.parse(JSON.parse(stdout));
    const of = (check: string) => checks.find(({ name }) => name.endsWith(`: pods: ${check}`));
    expect(of('pod')).toMatchObject({ verdict: 'ok', found: expect.stringContaining('It ran on aci-1') });
    // Each container has reported; where there are Services, init containers do not reach them yet.
    expect(of('musl and glibc')).toMatchObject({ verdict: 'ok' });
    expect(['ok', 'warning']).toContain(of('init phase')?.verdict);
    for (const hop of ['ClusterIPs', 'addresses of pods', 'name servers', 'names of the cluster', 'API server'])
      expect(of(hop)).not.toMatchObject({ verdict: 'failed' });
    expect(of('API server')).toMatchObject({ verdict: 'ok' });
    expect(await untilGone()).toBe('');
  });

  it('an interrupted one leaves nothing either, though Ctrl-C comes to each process of the group and is passed on', async () => {
    const child = startDoctor();
    const ended = once(child, 'close');
    await until('the pod is there', reachPods, (pods) => pods !== '');
    process.kill(-(child.pid ?? 0), 'SIGINT');
    await ended;
    expect(await untilGone()).toBe('');
  });
});

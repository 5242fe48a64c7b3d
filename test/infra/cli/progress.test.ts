import { describe, expect, it } from 'vitest';
import { createProgress, formatDuration } from '../../../infra/cli/progress.ts';

const recorder = (isTTY: boolean) => {
  const written: string[] = [];
  return { written, stream: { isTTY, columns: 40, write: (text: string) => written.push(text) } };
};

describe('progress', () => {
  it('is one plain line per step where there is no terminal', async () => {
    const { written, stream } = recorder(false);
    const value = await createProgress(stream).step('etcd', async (report) => {
      report('starting');
      report('127.0.0.1:2379');
      return 7;
    });
    expect(value).toBe(7);
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^✓ etcd {2}127\.0\.0\.1:2379 {2}0\.\d s\n$/);
  });

  it('says which step failed, and lets the error through', async () => {
    const { written, stream } = recorder(false);
    const failing = createProgress(stream).step('etcd', () => Promise.reject(new Error('port taken')));
    await expect(failing).rejects.toThrow('port taken');
    expect(written[0]).toMatch(/^✗ etcd {2}0\.\d s\n$/);
  });

  it('ends a step on a terminal with a line of its own, and no longer than the terminal is wide while it runs', async () => {
    const { written, stream } = recorder(true);
    await createProgress(stream).step('kube-apiserver', async (report) => {
      report('x'.repeat(200));
      await new Promise((resolve) => setTimeout(resolve, 150));
      report('ready');
    });
    expect(written.at(-1)).toMatch(/kube-apiserver {2}ready {2}0\.\d s\n$/);
    expect(Math.max(...written.slice(0, -1).map((text) => text.length))).toBeLessThanOrEqual(40 + 4);
  });

  it.each([
    [40, '0.0 s'],
    [1240, '1.2 s'],
    [59_900, '59.9 s'],
    [65_000, '1 min 05 s'],
    [412_000, '6 min 52 s'],
  ])('%i ms are %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});

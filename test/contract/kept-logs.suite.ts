import { beforeEach, describe, expect, it } from 'vitest';
import type { Result } from '../../shared/core/fault.ts';
import { keptBytes } from '../../shared/core/logs/kept-log.ts';
import type { KeptLogKey, KeptLogs } from '../../shared/ports/kept-logs.ts';

export interface KeptLogsUnderTest {
  readonly logs: KeptLogs;
  /** A second client of the same place. */
  readonly other: KeptLogs;
}

const signal = AbortSignal.timeout(60_000);
const key: KeptLogKey = {
  node: { cluster: '7d5a3c1e-0000-4000-8000-000000000001', node: 'aci-1' },
  group: 'default-p-0123456789abcdef0123',
};
const main = { container: 'main', text: '2026-11-23T12:00:05Z hello\n2026-11-23T12:00:06Z grüß dich\n' };
const side = { container: 'side', text: '' };

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.fault.kind}: ${result.fault.message}`);
  return result.value;
}

export function describeKeptLogs(name: string, open: () => Promise<KeptLogsUnderTest>): void {
  describe(`kept logs: ${name}`, () => {
    let logs: KeptLogs;
    let other: KeptLogs;
    beforeEach(async () => {
      ({ logs, other } = await open());
    });

    it('are none at first, and may be deleted all the same', async () => {
      expect(value(await logs.get(key, signal))).toBeUndefined();
      value(await logs.delete(key, signal));
    });

    it('are read as they were put, by everybody', async () => {
      value(await logs.put(key, [main, side], signal));
      expect(value(await other.get(key, signal))).toEqual([main, side]);
    });

    it('may be none at all', async () => {
      value(await logs.put(key, [], signal));
      expect(value(await logs.get(key, signal))).toEqual([]);
    });

    it('are replaced by the next put, also when it is the same', async () => {
      value(await logs.put(key, [main, side], signal));
      value(await other.put(key, [side], signal));
      value(await other.put(key, [side], signal));
      expect(value(await logs.get(key, signal))).toEqual([side]);
    });

    it('are those of one pod on one node', async () => {
      value(await logs.put(key, [main], signal));
      for (const another of [
        { ...key, group: 'default-q-0123456789abcdef0123' },
        { ...key, node: { ...key.node, node: 'aci-2' } },
        { ...key, node: { ...key.node, cluster: '7d5a3c1e-0000-4000-8000-000000000002' } },
      ]) {
        expect(value(await logs.get(another, signal))).toBeUndefined();
        value(await logs.delete(another, signal));
      }
      expect(value(await logs.get(key, signal))).toEqual([main]);
    });

    it('are gone once they were deleted, which may be done twice', async () => {
      value(await logs.put(key, [main], signal));
      value(await logs.delete(key, signal));
      value(await other.delete(key, signal));
      expect(value(await other.get(key, signal))).toBeUndefined();
    });

    it('are the newest lines of each where they are too long together', async () => {
      const line = `2026-11-23T12:00:05Z ${'ä'.repeat(50)}\n`;
      const long = { container: 'main', text: `${line.repeat(40_000)}the end\n` };
      value(await logs.put(key, [side, long, { container: 'short', text: main.text }], signal));
      const [, kept, short] = value(await other.get(key, signal)) ?? [];
      expect(short?.text).toBe(main.text);
      expect(kept?.text.startsWith('2026-11-23T')).toBe(true);
      expect(kept?.text.endsWith(`${line}the end\n`)).toBe(true);
      const size = Buffer.byteLength(kept?.text ?? '');
      expect(size).toBeGreaterThan(keptBytes - 1_000);
      expect(size).toBeLessThan(keptBytes);
    });

    it('are a transient fault without time', async () => {
      const over = AbortSignal.abort();
      for (const result of [await logs.put(key, [main], over), await logs.get(key, over), await logs.delete(key, over)])
        expect(result).toMatchObject({ ok: false, fault: { kind: 'transient' } });
    });
  });
}

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRealtimeStats } from '../../shared/wire/realtime-stats.ts';

const memory = { usageBytes: 3, workingSetBytes: 2, rssBytes: 1 };
const answer = {
  timestamp: 1_795_435_200_123_456_789n,
  containers: [{ name: 'app', cpu: { usageCoreNanoSeconds: 1500 }, memory }],
  cpu: { usageCoreNanoSeconds: 2000 },
  memory,
  network: {
    name: 'eth0',
    rxBytes: 1,
    rxErrors: 0,
    txBytes: 2,
    txErrors: 0,
    interfaces: [{ name: 'eth0', rxBytes: 1, rxErrors: 0, txBytes: 2, txErrors: 0 }],
  },
};
const text = (changes: object): string =>
  JSON.stringify({ ...answer, timestamp: 1.795_435_200_123_456_8e18, ...changes });

describe("what ACI's realtime-metrics says", () => {
  it('is read as it was recorded: nanoseconds, containers, network', () => {
    expect(parseRealtimeStats(text({}))).toEqual({
      atMs: 1_795_435_200_123,
      containers: [{ name: 'app', cpuNanoSeconds: 1500, memory }],
      network: answer.network,
    });
  });

  it.each<[string, string]>([
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['a negative counter', text({ containers: [{ name: 'a', cpu: { usageCoreNanoSeconds: -1 }, memory }] })],
    ['a counter that is no number', text({ containers: [{ name: 'a', cpu: { usageCoreNanoSeconds: '1' }, memory }] })],
    ['a counter without end', text({}).replace('1500', '1e999')],
    ['a counter beyond 64 bits', text({}).replace('1500', '1e20')],
    ['a container without memory', text({ containers: [{ name: 'a', cpu: { usageCoreNanoSeconds: 1 } }] })],
    ['the same container twice', text({ containers: [answer.containers[0], answer.containers[0]] })],
    [
      'too many containers',
      text({ containers: Array.from({ length: 101 }, (_, i) => ({ ...answer.containers[0], name: `c${i}` })) }),
    ],
    ['no time', text({ timestamp: undefined })],
    ['arrays within arrays', '['.repeat(60_000)],
  ])('%s is nothing', (_, garbage) => expect(parseRealtimeStats(garbage)).toBeUndefined());

  it('a network that makes no sense is left out, and the rest counts', () => {
    expect(parseRealtimeStats(text({ network: { rxBytes: 'many' } }))).toMatchObject({ containers: [{ name: 'app' }] });
    expect(parseRealtimeStats(text({ network: null }))).not.toHaveProperty('network');
  });

  it('whatever is said, what is read has whole numbers from 0 on', () => {
    fc.assert(
      fc.property(fc.json(), fc.double(), fc.double(), (json, cpu, bytes) => {
        expect(() => parseRealtimeStats(json)).not.toThrow();
        const read = parseRealtimeStats(
          text({ containers: [{ name: 'a', cpu: { usageCoreNanoSeconds: cpu }, memory: { workingSetBytes: bytes } }] }),
        );
        for (const { cpuNanoSeconds, memory: kept } of read?.containers ?? [])
          expect([cpuNanoSeconds, kept.workingSetBytes].every((one) => Number.isInteger(one) && one >= 0)).toBe(true);
      }),
    );
  });
});

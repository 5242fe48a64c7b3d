import { describe, expect, it } from 'vitest';
import { costCommand } from '../../../../infra/cli/cost/command.ts';
import { printCost } from '../../../../infra/cli/cost/print.ts';
import { costReport } from '../../../../infra/cli/cost/report.ts';
import { parseWindow } from '../../../../infra/cli/cost/window.ts';
import { money, parsePrices } from '../../../../infra/cli/inspect/prices.ts';
import { createOutput } from '../../../../infra/cli/output.ts';
import type { UsageRecord } from '../../../../shared/core/usage/usage.ts';
import { createWorld } from '../../../app/world.ts';
import { runOver } from '../status/world-context.ts';

const noon = Date.parse('2026-11-23T12:00:00Z');
const hourMs = 3_600_000;

const record = (changes: Partial<UsageRecord>): UsageRecord => ({
  cluster: 'c',
  node: 'aci-1',
  namespace: 'default',
  name: 'web',
  uid: 'u',
  cpu: 2,
  memoryInGB: 4,
  startedAt: noon - hourMs,
  endedAt: noon,
  ...changes,
});

const none = { cpu: undefined, memory: undefined, currency: undefined };

describe('the window', () => {
  it.each([
    [undefined, undefined, '2026-11-01T00:00:00.000Z', '2026-11-23T12:00:00.000Z'],
    ['2026-10-01', '2026-11-01', '2026-10-01T00:00:00.000Z', '2026-11-01T00:00:00.000Z'],
    ['2026-11-23T08:00:00+02:00', undefined, '2026-11-23T06:00:00.000Z', '2026-11-23T12:00:00.000Z'],
  ])('%s to %s', (from, to, start, end) => {
    const window = parseWindow(from, to, noon);
    expect([new Date(window.from).toISOString(), new Date(window.to).toISOString()]).toEqual([start, end]);
  });
  it.each([
    ['yesterday', undefined, /--from wants a day, not "yesterday"/],
    ['2026-02-30', undefined, /--from wants a day/],
    ['2026-11-23T08:00', undefined, /--from wants a day/],
    [undefined, '11/01/2026', /--to wants a day/],
    ['2026-11-02', '2026-11-02', /--from is not before --to/],
    ['2026-12-01', undefined, /--from is not before --to/],
  ])('%s to %s is wrong input', (from, to, message) => {
    expect(() => parseWindow(from, to, noon)).toThrow(message);
  });
});

describe('prices', () => {
  it('are the list prices unless both are given', () => {
    expect(parsePrices(none)).toMatchObject({ currency: 'USD', source: 'list' });
    expect(parsePrices({ cpu: '0.00002', memory: '0.000003', currency: 'EUR' })).toEqual({
      currency: 'EUR',
      perCpuSecond: 0.00002,
      perGBSecond: 0.000003,
      source: 'given',
    });
  });
  it.each([
    [{ ...none, cpu: '1' }, /only one of the two/],
    [{ ...none, currency: 'EUR' }, /list prices are in USD/],
    [{ cpu: '-1', memory: '1', currency: undefined }, /--price-cpu-second/],
    [{ cpu: '1', memory: '1e-6', currency: undefined }, /--price-gb-second/],
    [{ cpu: '1', memory: '1', currency: 'euro' }, /--currency/],
  ])('%j is wrong input', (texts, message) => {
    expect(() => parsePrices(texts)).toThrow(message);
  });
  it.each([
    [0, '0.00'],
    [12.345, '12.35'],
    [0.004, '0.0040'],
    [0.00001, '<0.0001'],
  ])('%d reads %s', (amount, text) => {
    expect(money(amount)).toBe(text);
  });
});

describe('cost for people', () => {
  const text = (records: readonly UsageRecord[], running: readonly UsageRecord[]): string => {
    const window = { from: noon - 48 * hourMs, to: noon };
    const report = costReport(
      { records, running },
      { installation: 'sk', by: 'namespace', prices: parsePrices(none), ...window },
    );
    let written = '';
    const stream = { write: (more: string) => void (written += more) };
    printCost(createOutput({ stdout: stream, stderr: stream, format: 'table', environment: {} }), report);
    return written;
  };
  it('is this text', () => {
    const running = record({ uid: 'v', namespace: 'batch', cpu: 0.1, memoryInGB: 0.2, startedAt: noon - 2 * hourMs });
    expect(text([record({}), running], [running])).toMatchSnapshot();
  });
  it('says so when nothing ran', () => {
    expect(text([], [])).toContain('Nothing ran in this time.\n\nNothing runs now.\n');
  });
});

describe('cost over a world', () => {
  it('adds up what ended and what runs, once each, of nodes that are not registered any more too', async () => {
    const world = await createWorld();
    await world.beat();
    world.createPod('exits-0', {}, { name: 'job' });
    world.createPod('serves', {}, { name: 'web' });
    await world.run(40);
    world.deletePod('job');
    await world.run(45);
    const gone = { cluster: 'gone', node: 'old' };
    const left = await world.store.upsertPod(
      gone,
      { ...(world.rows()[0] ?? fallback()), uid: 'other', usage: undefined },
      { previous: undefined },
    );
    if (!left.ok) throw new Error(left.fault.message);
    await world.store.deletePod(gone, left.value, [
      record({ ...gone, uid: 'other', namespace: 'old', startedAt: noon - hourMs, endedAt: noon }),
    ]);
    const shown = await runOver(world, costCommand, ['--by', 'owner', '--output', 'json']);
    const report = JSON.parse(shown.stdout) as {
      lines: { key: string; pods: number; seconds: number; cpuSeconds: number }[];
      total: { pods: number };
      running: { pods: number };
    };
    expect(shown.code).toBe(0);
    expect(report.lines.map(({ key }) => key).toSorted()).toEqual([
      'default/Pod/job',
      'default/Pod/web',
      'old/Pod/web',
    ]);
    const old = report.lines.find(({ key }) => key === 'old/Pod/web');
    expect(old).toMatchObject({ seconds: 3600, cpuSeconds: 7200 });
    expect(report.total.pods).toBe(3);
    expect(report.running.pods).toBe(1);
  });

  it('asks nothing for wrong input', async () => {
    const world = await createWorld();
    const shown = await runOver(world, costCommand, ['--by', 'team']);
    expect([shown.code, shown.stdout]).toEqual([2, '']);
    expect(shown.stderr).toContain('--by wants namespace, owner or day, not "team"');
  });
});

function fallback(): never {
  throw new Error('the world has no row');
}

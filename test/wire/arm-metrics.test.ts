import { describe, expect, it } from 'vitest';
import { parseMetrics } from '../../shared/wire/arm/metrics-answer.ts';

const at = (minute: number): string => `2026-11-23T12:0${minute}:00Z`;
const point = (minute: number, average?: number | null) => ({ timeStamp: at(minute), average });
const series = (container: string, ...data: readonly object[]) => ({
  metadatavalues: [{ name: { value: 'containername', localizedValue: 'containername' }, value: container }],
  data,
});
const metric = (name: string, ...timeseries: readonly object[]) => ({
  name: { value: name },
  unit: 'Count',
  timeseries,
});

describe('what Azure Monitor answers', () => {
  it('are the minutes of which both averages are there, an average of nothing among them', () => {
    const body = {
      value: [
        metric('CpuUsage', series('app', point(0, 0), point(1, 12.5), point(2, 3), point(3), point(4, null))),
        metric('MemoryUsage', series('app', point(0, 5e7), point(1, 6e7), point(3, 7e7), point(4, 8e7))),
      ],
    };
    expect(parseMetrics(body)?.get('app')).toEqual([
      { atMs: Date.parse(at(0)), cpuMillicores: 0, memoryBytes: 5e7 },
      { atMs: Date.parse(at(1)), cpuMillicores: 12.5, memoryBytes: 6e7 },
    ]);
  });

  it('is read whatever the case of its names, and in whatever order', () => {
    const named = { metadatavalues: [{ name: { value: 'ContainerName' }, value: 'app' }], data: [point(0, 1)] };
    const body = { value: [metric('memoryusage', named), metric('cpuusage', named)] };
    expect(parseMetrics(body)?.get('app')).toHaveLength(1);
  });

  it('of no container, or of the whole group, is nothing of a container', () => {
    expect(parseMetrics({ value: [] })).toEqual(new Map());
    const whole = { metadatavalues: [], data: [point(0, 1)] };
    expect(parseMetrics({ value: [metric('CpuUsage', whole, series('', point(0, 1)))] })).toEqual(new Map());
  });

  it.each([
    undefined,
    null,
    {},
    { value: 1 },
    { value: [{ name: 'CpuUsage' }] },
    { value: [metric('CpuUsage', series('a', point(0, -1)))] },
  ])('that is %j is not what ARM promises', (body) => expect(parseMetrics(body)).toBeUndefined());
});

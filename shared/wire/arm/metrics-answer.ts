import * as z from 'zod';
import type { MinuteAverage } from '../../core/resource-metrics/minute-averages.ts';

/** Names come in whatever case: of metrics, and of the dimension by which they are split. */
const named = z.object({ value: z.string() });
const point = z.object({ timeStamp: z.iso.datetime({ offset: true }), average: z.number().min(0).nullish() });
const schema = z.object({
  value: z.array(
    z.object({
      name: named,
      timeseries: z.array(
        z.object({
          metadatavalues: z.array(z.object({ name: named, value: z.string() })).default([]),
          data: z.array(point).default([]),
        }),
      ),
    }),
  ),
});

/** Of the metrics of `Microsoft.ContainerInstance/containerGroups`: millicores, and bytes. */
export const monitoredMetrics = { cpu: 'CpuUsage', memory: 'MemoryUsage' } as const;

type Averages = ReadonlyMap<string, ReadonlyMap<number, number>>;

/**
 * What `Microsoft.Insights/metrics` answers (Metrics - List, 2023-10-01), split by container: the minutes of which both
 * averages are there; one without a value is not known yet. Undefined: not what ARM promises.
 */
export function parseMetrics(body: unknown): ReadonlyMap<string, readonly MinuteAverage[]> | undefined {
  const parsed = schema.safeParse(body).data;
  if (parsed === undefined) return undefined;
  const averagesOf = (metric: string): Averages => {
    const found = parsed.value.find(({ name }) => name.value.toLowerCase() === metric.toLowerCase());
    return new Map((found?.timeseries ?? []).flatMap(seriesOf));
  };
  const memory = averagesOf(monitoredMetrics.memory);
  return new Map(
    [...averagesOf(monitoredMetrics.cpu)].map(([container, minutes]) => {
      const bytes = memory.get(container);
      return [
        container,
        [...minutes].flatMap(([atMs, cpuMillicores]) => {
          const memoryBytes = bytes?.get(atMs);
          return memoryBytes === undefined ? [] : [{ atMs, cpuMillicores, memoryBytes }];
        }),
      ];
    }),
  );
}

type Series = z.output<typeof schema>['value'][number]['timeseries'][number];

function seriesOf({ metadatavalues, data }: Series): readonly (readonly [string, ReadonlyMap<number, number>])[] {
  const container = metadatavalues.find(({ name }) => name.value.toLowerCase() === 'containername')?.value;
  if (container === undefined || container === '') return [];
  const points = data.flatMap(({ timeStamp, average }) =>
    typeof average === 'number' ? [[Date.parse(timeStamp), average] as const] : [],
  );
  return [[container, new Map(points)]];
}

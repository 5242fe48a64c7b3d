import { isFault } from '../errors.ts';
import type { ArmFault } from '../errors.ts';
import { findGroup } from '../handlers-group.ts';
import type { Json } from '../json.ts';
import { reply } from '../state.ts';
import type { ArmCall, EmulatorState, HandlerAnswer } from '../state.ts';
import { minuteMs } from './minutes.ts';
import type { Average } from './minutes.ts';

/** Of `Microsoft.ContainerInstance/containerGroups`; those of the network are not split by container, and are not emulated. */
const metrics: Readonly<Record<string, { readonly name: string; readonly unit: string; readonly text: string }>> = {
  cpuusage: { name: 'CpuUsage', unit: 'Count', text: 'CPU usage on all cores in millicores.' },
  memoryusage: { name: 'MemoryUsage', unit: 'Bytes', text: 'Total memory usage in byte.' },
};
const versions = ['2018-01-01', '2019-07-01', '2021-05-01', '2023-10-01', '2024-02-01'];
const defaultTop = 10;
/** Monitor's own default is an hour up to now. */
const defaultSpanMs = 3_600_000;

interface Query {
  readonly names: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly isSplit: boolean;
  readonly top: number;
}

/** `GET {group}/providers/Microsoft.Insights/metrics` (Metrics - List): averages of whole minutes, which come late. */
export function listMetrics(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const entry = findGroup(state, call);
  if (isFault(entry)) return entry;
  const now = state.clock.now();
  const query = readQuery(call, now);
  if (isFault(query)) return query;
  const { fromMs, toMs, isSplit, top, names } = query;
  const knownTo = now - state.options.monitorLagSeconds * 1000 - minuteMs;
  const averages = [...state.monitor.averages(entry, fromMs, toMs)];
  const shown = isSplit ? averages.slice(0, top) : [];
  const value = names.map((name): Json => {
    const { name: metric = name, unit = 'Count', text = '' } = metrics[name] ?? {};
    const valueOf = ({ millicores, bytes }: Average): number => (metric === 'CpuUsage' ? millicores : bytes);
    return {
      id: `${entry.id}/providers/Microsoft.Insights/metrics/${metric}`,
      type: 'Microsoft.Insights/metrics',
      name: { value: metric, localizedValue: metric },
      displayDescription: text,
      unit,
      timeseries: shown.map(([container, minutes]) => ({
        metadatavalues: [{ name: { value: 'containername', localizedValue: 'containername' }, value: container }],
        data: minutesOf(fromMs, toMs).map((atMs) => {
          const minute = atMs > knownTo ? undefined : minutes.find((one) => one.atMs === atMs);
          const average = minute === undefined ? {} : { average: valueOf(minute) };
          return { timeStamp: timeText(atMs), ...average };
        }),
      })),
      errorCode: 'Success',
    };
  });
  return reply(200, {
    cost: Math.max(0, Math.round((toMs - fromMs) / minuteMs) - 1),
    timespan: `${timeText(fromMs)}/${timeText(toMs)}`,
    interval: 'PT1M',
    value,
    namespace: 'Microsoft.ContainerInstance/containerGroups',
    resourceregion: entry.region,
  });
}

function readQuery({ query, apiVersion }: ArmCall, now: number): Query | ArmFault {
  const get = (name: string): string => query.get(name) ?? '';
  if (!versions.includes(apiVersion)) return badRequest(`The api-version '${apiVersion}' is invalid.`);
  const names = get('metricnames').toLowerCase().split(',');
  const unknown = names.find((name) => metrics[name] === undefined);
  if (unknown !== undefined)
    return badRequest(
      `Failed to find metric configuration for provider: Microsoft.ContainerInstance, resource Type: containerGroups, metric: ${unknown}`,
    );
  if (!['', 'PT1M'].includes(get('interval'))) return badRequest('Only the interval PT1M is emulated.');
  if (get('aggregation').toLowerCase() !== 'average') return badRequest('Only the aggregation Average is emulated.');
  const span = readSpan(get('timespan'), now);
  if (span === undefined) return badRequest('The timespan is not valid.');
  const filter = get('$filter');
  if (filter !== '' && !/^containername eq '\*'$/i.test(filter))
    return badRequest(`Only the filter "containerName eq '*'" is emulated.`);
  const top = Number(get('top') || defaultTop);
  return { names, ...span, isSplit: filter !== '', top };
}

/** From a time to a time; ends are those of minutes. */
function readSpan(text: string, now: number): { readonly fromMs: number; readonly toMs: number } | undefined {
  const [from, to] = text === '' ? [now - defaultSpanMs, now] : text.split('/', 2).map((part) => Date.parse(part));
  if (from === undefined || to === undefined || !(from <= to)) return undefined;
  const [fromMs = 0, toMs = 0] = [from, to].map((ms) => Math.floor(ms / minuteMs) * minuteMs);
  return { fromMs, toMs };
}

const minutesOf = (fromMs: number, toMs: number): readonly number[] =>
  Array.from({ length: (toMs - fromMs) / minuteMs }, (_, index) => fromMs + index * minuteMs);

const timeText = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

const badRequest = (message: string): ArmFault => ({ kind: 'arm-fault', status: 400, code: 'BadRequest', message });

import type { RunUsage } from '../group-store.ts';
import type { ContainerUsage } from '../runtime/runtime.ts';

/** What a network interface has carried, as the extension shows it. */
export interface InterfaceStats {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxErrors: number;
  readonly txBytes: number;
  readonly txErrors: number;
}

/** What a program of the platform in the group is called; virtual nodes' own source says that there are some. */
const platformContainer = 'infra';

/** What `GET /v1/stats` of ACI's realtime-metrics answers, in the shape in which virtual nodes read it. */
export function statsBody(options: {
  readonly now: number;
  readonly containers: readonly RunUsage[];
  /** Of what holds the group's namespaces. */
  readonly platform: ContainerUsage | undefined;
  readonly interfaces: readonly InterfaceStats[];
}): object {
  const { now, containers, platform, interfaces } = options;
  const all = [...containers, ...(platform === undefined ? [] : [{ container: platformContainer, ...platform }])];
  const sum = (value: (one: ContainerUsage) => number): number => all.reduce((total, one) => total + value(one), 0);
  const [first = { name: '', rxBytes: 0, rxErrors: 0, txBytes: 0, txErrors: 0 }] = interfaces;
  return {
    timestamp: now * 1_000_000,
    containers: all.map(({ container, ...used }) => ({ name: container, ...shown(used) })),
    ...shown({
      cpuNanoSeconds: sum((one) => one.cpuNanoSeconds),
      usageBytes: sum((one) => one.usageBytes),
      workingSetBytes: sum((one) => one.workingSetBytes),
      rssBytes: sum((one) => one.rssBytes),
    }),
    network: { ...first, interfaces },
  };
}

const shown = ({ cpuNanoSeconds, usageBytes, workingSetBytes, rssBytes }: ContainerUsage): object => ({
  cpu: { usageCoreNanoSeconds: cpuNanoSeconds },
  memory: { usageBytes, workingSetBytes, rssBytes },
});

/** The interfaces of `/proc/net/dev` but loopback (proc(5)): received bytes, packets, errors …, sent from the ninth on. */
export const parseInterfaces = (text: string): readonly InterfaceStats[] =>
  text
    .split('\n')
    .slice(2)
    .flatMap((line) => {
      const [name = '', rest = ''] = line.split(':', 2).map((part) => part.trim());
      const counts = rest.split(/\s+/).map(Number);
      const at = (index: number): number => counts[index] ?? 0;
      if (name === '' || name === 'lo') return [];
      return [{ name, rxBytes: at(0), rxErrors: at(2), txBytes: at(8), txErrors: at(10) }];
    });

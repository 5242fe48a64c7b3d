import { isIPv4 } from 'node:net';
import * as z from 'zod';
import { isClusterDomain } from '../../../shared/core/kubernetes/cluster-reach.ts';
import type { ClusterReader } from './cluster-reader.ts';
import { read, unreadable } from './observed.ts';
import type { Part } from './observed.ts';

const home = '/api/v1/namespaces/kube-system';

const serviceSchema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ clusterIP: z.string().nullish(), clusterIPs: z.array(z.string()).nullish() }),
});
const serviceList = z.object({ items: z.array(serviceSchema) });

/** The Service of the cluster's DNS. */
export interface DnsService {
  readonly name: string;
  /** Its first IPv4 ClusterIP. */
  readonly address: string;
}

/** `kube-dns`, else whichever has its label; undefined where there is none with an IPv4 address. Reads only. */
export async function readDnsService(reader: ClusterReader): Promise<Part<DnsService | undefined>> {
  const named = await reader.get(`${home}/services/kube-dns`);
  if (named.kind === 'unreadable') return named;
  const own = parseDnsService(named.value?.json);
  if (own !== undefined) return read(own);
  const labelled = await reader.get(`${home}/services?labelSelector=k8s-app%3Dkube-dns`);
  if (labelled.kind === 'unreadable') return labelled;
  const items = serviceList.safeParse(labelled.value?.json).data?.items ?? [];
  return read(items.map(parseDnsService).find((service) => service !== undefined));
}

/** A Service with an IPv4 ClusterIP; a headless one, or one of IPv6 alone, is none. */
export function parseDnsService(json: unknown): DnsService | undefined {
  const parsed = serviceSchema.safeParse(json).data;
  const { clusterIP, clusterIPs } = parsed?.spec ?? {};
  const address = [...(clusterIPs ?? []), clusterIP ?? ''].find(isIPv4);
  return parsed === undefined || address === undefined ? undefined : { name: parsed.metadata.name, address };
}

const configMap = z.object({ data: z.record(z.string(), z.string()).default({}) });

/** The cluster's domain as CoreDNS has it; undefined where that is not known. Reads only. */
export async function readClusterDomain(reader: ClusterReader): Promise<string | undefined> {
  const answer = await reader.get(`${home}/configmaps/coredns`);
  const json = answer.kind === 'read' ? answer.value?.json : undefined;
  return parseClusterDomain(configMap.safeParse(json).data?.data['Corefile'] ?? '');
}

/**
 * The first zone of the plugin `kubernetes` that is no reverse one, and that a registration takes; it may be a server
 * block's own. In lower case: names of DNS have none. Pure.
 */
export function parseClusterDomain(corefile: string): string | undefined {
  const lines = corefile.split('\n').map((line) => line.replace(/#.*$/, '').trim());
  const at = lines.findIndex((line) => /^kubernetes(\s|$)/.test(line));
  if (at === -1) return undefined;
  const zones = zonesOf(lines[at] ?? '').slice(1);
  const block = lines.slice(0, at).findLast((line) => line.endsWith('{') && !/^[a-z_]+ *\{/.test(line));
  const known = zones.length > 0 ? zones : zonesOf(block ?? '');
  return known
    .map((zone) =>
      zone
        .toLowerCase()
        .replace(/^[a-z]+:\/\//, '')
        .replace(/:\d+$/, '')
        .replace(/\.$/, ''),
    )
    .find((zone) => isClusterDomain(zone) && !/(^|\.)arpa$/.test(zone));
}

const zonesOf = (line: string): readonly string[] =>
  line
    .replace(/\{\s*$/, '')
    .trim()
    .split(/[\s,]+/);

const rangeList = z.object({ items: z.array(z.object({ spec: z.object({ cidrs: z.array(z.string()) }) })) });

/** Ranges of ClusterIPs; none from a cluster that does not serve them (before 1.33). Reads only. */
export async function readServiceRanges(reader: ClusterReader): Promise<readonly string[]> {
  const answer = await reader.get('/apis/networking.k8s.io/v1/servicecidrs');
  const json = answer.kind === 'read' ? answer.value?.json : undefined;
  const items = rangeList.safeParse(json).data?.items ?? [];
  return items.flatMap(({ spec }) => spec.cidrs).filter((range) => !range.includes(':'));
}

/** Whether a Service has this ClusterIP. Reads only. */
export async function isServiceAddress(reader: ClusterReader, address: string): Promise<boolean> {
  const answer = await reader.get(`/api/v1/services?fieldSelector=spec.clusterIP%3D${address}&limit=1`);
  const json = answer.kind === 'read' ? answer.value?.json : undefined;
  return (serviceList.safeParse(json).data?.items.length ?? 0) > 0;
}

const sliceList = z.object({
  items: z.array(
    z.object({
      endpoints: z.array(z.object({ conditions: z.object({ ready: z.boolean().nullish() }).nullish() })).nullish(),
    }),
  ),
});

/** How many back ends of a Service of kube-system are ready. Reads only. */
export async function readReadyEndpoints(reader: ClusterReader, service: string): Promise<Part<number>> {
  const path = '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices';
  const answer = await reader.get(`${path}?labelSelector=kubernetes.io%2Fservice-name%3D${service}`);
  if (answer.kind === 'unreadable') return answer;
  const slices = sliceList.safeParse(answer.value?.json).data;
  if (slices === undefined) return unreadable('It is not there.');
  const endpoints = slices.items.flatMap((slice) => slice.endpoints ?? []);
  // What does not say counts as ready.
  return read(endpoints.filter(({ conditions }) => conditions?.ready !== false).length);
}

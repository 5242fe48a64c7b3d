import * as z from 'zod';
import { parseAccessReview } from '../../../../shared/wire/kubernetes/access-review.ts';
import { parseJson } from '../../../../shared/wire/json-text.ts';
import type { ClusterRegistration } from '../../../../shared/wire/settings.ts';
import type { ApiAnswer } from '../../cluster/api.ts';
import type { ClusterFault } from '../../cluster/cluster-fault.ts';
import { servicesReviews } from '../app-rights.ts';
import { faultPart } from '../cluster-reader.ts';
import { readDnsService } from '../cluster-dns.ts';
import type { ClusterReader } from '../cluster-reader.ts';
import { read, unreadable } from '../observed.ts';
import type { Part } from '../observed.ts';

const serviceSchema = z.object({
  spec: z.object({ clusterIP: z.string().nullish(), ports: z.array(z.object({ port: z.int() })).default([]) }),
});
const sliceList = z.object({
  items: z.array(
    z.object({
      addressType: z.string(),
      endpoints: z
        .array(
          z.object({
            addresses: z.array(z.string()),
            conditions: z.object({ ready: z.boolean().nullish() }).nullish(),
          }),
        )
        .nullish(),
      ports: z.array(z.object({ port: z.int().nullish(), protocol: z.string().nullish() })).nullish(),
    }),
  ),
});

/** `ADDRESS:PORT` of the Service kubernetes; undefined where it is not known. Reads only. */
export async function readKubernetesService(reader: ClusterReader): Promise<string | undefined> {
  const answer = await reader.get('/api/v1/namespaces/default/services/kubernetes');
  const spec = answer.kind === 'read' ? serviceSchema.safeParse(answer.value?.json).data?.spec : undefined;
  return spec?.clusterIP ? `${spec.clusterIP}:${spec.ports[0]?.port ?? 443}` : undefined;
}

/** `ADDRESS:PORT` (TCP) of each ready pod of the cluster's DNS. Reads only. */
export async function readDnsPods(reader: ClusterReader): Promise<Part<readonly string[]>> {
  const service = await readDnsService(reader);
  if (service.kind === 'unreadable') return service;
  if (service.value === undefined) return unreadable("The cluster's DNS has no Service that is known.");
  const path = '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices';
  const answer = await reader.get(`${path}?labelSelector=kubernetes.io%2Fservice-name%3D${service.value.name}`);
  if (answer.kind === 'unreadable') return answer;
  return read(parseDnsPods(answer.value?.json));
}

/** Of a list of EndpointSlices. Pure. */
export function parseDnsPods(json: unknown): readonly string[] {
  const slices = sliceList.safeParse(json).data?.items ?? [];
  return slices
    .filter(({ addressType }) => addressType === 'IPv4')
    .flatMap(({ endpoints, ports }) => {
      const port = ports?.find(({ protocol }) => (protocol ?? 'TCP') === 'TCP')?.port ?? 53;
      // What does not say counts as ready.
      const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
      return ready.flatMap(({ addresses }) => addresses.map((address) => `${address}:${port}`));
    });
}

/** What the account of ACI's kube-proxy may not do, such as `list endpoints`. Changes nothing. */
export async function readMissingRights(
  { relay, services }: Pick<ClusterRegistration, 'relay' | 'services'>,
  create: (path: string, body: object) => Promise<ApiAnswer | ClusterFault>,
): Promise<Part<readonly string[]>> {
  if (services === undefined) return read([]);
  const [namespace = ''] = relay.serviceAccount.split(':');
  const missing: string[] = [];
  for (const { right, review } of servicesReviews(namespace)) {
    const answer = await create('/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
    if (answer.kind !== 'answered') return faultPart(answer);
    if (parseAccessReview(parseJson(answer.text)) !== true) missing.push(right);
  }
  return read(missing);
}

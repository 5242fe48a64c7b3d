import { textAt } from '../json-access.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { NodeFacts, Notice } from '../pod/translation.ts';
import type { ContainerOrders } from './orders.ts';

/** The names that a kubelet gives a pod (pkg/kubelet/kubelet_pods.go, GeneratePodHostNameAndDomain). */
export interface PodHost {
  readonly hostname: string;
  /** Where the pod names a subdomain. */
  readonly domain?: string;
  /** What the pod finds as its own name. */
  readonly own: string;
  /** The field that asks for it; absent: it is the pod's own name, which a kubelet gives to each. */
  readonly field?: string;
}

const asksForName = ['hostname', 'hostnameOverride', 'subdomain', 'setHostnameAsFQDN'] as const;

/** Of a host name; a pod's name may be longer. */
const maxLength = 63;

/** What a kubelet would make of the pod's name and what it asks for; whoever has no agent has the name that ACI gives. */
export function podHost({ metadata, rawSpec }: Pod, { dns }: Pick<NodeFacts, 'dns'>): PodHost {
  const asked = asksForName.find((name) => rawSpec[name] === true || textAt(rawSpec, name) !== '');
  const by = asked === undefined ? {} : { field: `spec.${asked}` };
  const override = textAt(rawSpec, 'hostnameOverride');
  if (override !== '') return { hostname: override, own: override, ...by };
  const hostname = (textAt(rawSpec, 'hostname') || metadata.name).slice(0, maxLength).replace(/[-.]+$/, '');
  const subdomain = textAt(rawSpec, 'subdomain');
  if (subdomain === '') return { hostname, own: hostname, ...by };
  const domain = `${subdomain}.${metadata.namespace}.svc.${dns?.domain ?? 'cluster.local'}`;
  const isFull = rawSpec['setHostnameAsFQDN'] === true;
  return { hostname, domain, own: isFull ? `${hostname}.${domain}` : hostname, ...by };
}

/** Only a container that starts as root can write the pod's line to /etc/hosts, which is one file for all of them. */
export const hostNotices = ({ field }: PodHost, orders: readonly ContainerOrders[]): readonly Notice[] =>
  field === undefined || orders.length === 0 || orders.some(({ hosts }) => hosts !== undefined)
    ? []
    : [
        {
          reason: 'FieldWithoutEffect',
          message: `${field}: /etc/hosts does not have the name: no container of the pod starts as root`,
        },
      ];

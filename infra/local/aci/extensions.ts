import { isIPv4 } from 'node:net';
import { parseOwnKubeconfig } from '../cluster/kubeconfig.ts';
import { isBase64 } from './rule.ts';
import type { GroupBody } from './wire.ts';

/** What a group's extension `kube-proxy` is started with. */
export interface KubeProxyWanted {
  /** JSON: one cluster, one user. */
  readonly kubeconfig: string;
  /** Where pods have their addresses; absent where the group does not say, or not as CIDR. */
  readonly clusterCidr?: string;
}

type Extension = NonNullable<GroupBody['properties']['extensions']>[number];

/** The group's extension of that type. */
export const extensionOf = ({ properties }: GroupBody, type: string): Extension | undefined =>
  properties.extensions?.find((extension) => extension.properties?.extensionType === type);

/** What the group's `kube-proxy` is to do; undefined without one, or where its kubeconfig is none. */
export function kubeProxyOf(body: GroupBody): KubeProxyWanted | undefined {
  const { settings, protectedSettings } = extensionOf(body, 'kube-proxy')?.properties ?? {};
  const encoded = protectedSettings?.['kubeConfig'];
  if (typeof encoded !== 'string' || encoded === '' || !isBase64(encoded)) return undefined;
  const kubeconfig = Buffer.from(encoded, 'base64').toString('utf8');
  if (!isKubeconfig(kubeconfig)) return undefined;
  const cidr = settings?.['clusterCidr'];
  return { kubeconfig, ...(typeof cidr === 'string' && isCidr(cidr) ? { clusterCidr: cidr } : {}) };
}

function isKubeconfig(text: string): boolean {
  try {
    parseOwnKubeconfig(text);
    return true;
  } catch {
    return false;
  }
}

function isCidr(text: string): boolean {
  const [address = '', bits = ''] = text.split('/', 2);
  return isIPv4(address) && /^\d{1,2}$/.test(bits) && Number(bits) <= 32 && `${address}/${bits}` === text;
}
